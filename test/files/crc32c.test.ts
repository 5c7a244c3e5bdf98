import { expect, it } from 'vitest'
import { crc32c } from '../../lib/files/crc32c.ts'

const ascending = Uint8Array.from({ length: 32 }, (_, i) => i)

// RFC 3720, B.4, and the check value of the catalogue of checksums.
it.each<[string, Uint8Array, number]>([
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(255), 0x62a8ab43],
  ['0 to 31', ascending, 0x46dd794e],
  ['31 to 0', ascending.toReversed(), 0x113fdb5c],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  ['nothing', new Uint8Array(0), 0],
])('the checksum of %s is the published one', (_, bytes, checksum) => expect(crc32c(bytes)).toBe(checksum))
