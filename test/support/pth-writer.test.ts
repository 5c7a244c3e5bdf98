import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { orderedDict } from './pickle-writer.ts'
import { pthLegacy, pthZip, PyTensor, storage, tensor } from './pth-writer.ts'

// The digests are those of the files that PyTorch 2.13 wrote by:
//
//   half = torch.tensor([1.5, -2.0], dtype=torch.float16)
//   weights = collections.OrderedDict([('a.weight', torch.arange(6.).reshape(2, 3)), ('a.bias', half), ('n', torch.tensor(7))])
//   base = torch.arange(12.)
//   value = {'state_dict': weights, 'epoch': 3, 'views': [base[1:7].view(3, 2).t(), base]}
//   torch.save(value, 'golden.pth')
//   torch.save(value, 'golden-legacy.pth', _use_new_zipfile_serialization=False)
//
// The serialization id, which follows from the other records, and the storages' keys, which are addresses, are taken from them.
const weights = orderedDict([
  [
    'a.weight',
    tensor(
      Float32Array.from({ length: 6 }, (_, i) => i),
      [2, 3],
    ),
  ],
  ['a.bias', tensor(new Uint16Array([0x3e00, 0xc000]), [2], 'HalfStorage')],
  ['n', tensor(new BigInt64Array([7n]), [])],
])
const base = storage(Float32Array.from({ length: 12 }, (_, i) => i))
const value = new Map<string, unknown>([
  ['state_dict', weights],
  ['epoch', 3],
  ['views', [new PyTensor(base, [2, 3], [1, 2], 1), new PyTensor(base, [12], [1])]],
])

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

it('writes the zip that torch.save writes, byte by byte', () => {
  const bytes = pthZip(value, { name: 'golden', id: '1077862729799854162508859583876313531681' })
  expect(digest(bytes)).toBe('d5053a317e40dfbfafffaa00605ec61671550116961863dec6f444c0d58d5b96')
})

it('writes the legacy file that torch.save writes, byte by byte', () => {
  const bytes = pthLegacy(value, { keys: ['94453275585680', '94453275319856', '94453275588192', '94453275615104'] })
  expect(digest(bytes)).toBe('2c175e4f3e66b0322cfafad18c4a28338b7580700c5bfd9107041ac3fc737b29')
})
