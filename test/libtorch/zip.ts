import { crc32, deflateRawSync } from 'node:zlib'

/** A file of a zip. `mode` is its permissions with the file type, `-rw-r--r--` by default. */
export interface ZipFile {
  readonly name: string
  readonly data: string | Buffer
  readonly mode?: number
  /** States this checksum instead of the right one. */
  readonly crc?: number
}

/** A zip of these files, names taken as they are: also names that no honest zip has. */
export function makeZip(files: readonly ZipFile[]): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const file of files) {
    const name = Buffer.from(file.name)
    const data = Buffer.from(file.data)
    const packed = deflateRawSync(data)
    // From "general purpose flags" to "extra field length", which both headers share.
    const shared = Buffer.alloc(24)
    shared.writeUInt16LE(8, 2)
    shared.writeUInt32LE(file.crc ?? crc32(data), 8)
    shared.writeUInt32LE(packed.length, 12)
    shared.writeUInt32LE(data.length, 16)
    shared.writeUInt16LE(name.length, 20)
    const local = Buffer.concat([Buffer.from('PK\x03\x04\x14\x00', 'latin1'), shared, name, packed])
    const trailer = Buffer.alloc(14)
    trailer.writeUInt32LE(((file.mode ?? 0o100644) << 16) >>> 0, 6)
    trailer.writeUInt32LE(offset, 10)
    central.push(Buffer.from('PK\x01\x02\x14\x03\x14\x00', 'latin1'), shared, trailer, name)
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}

/** A wheel as small as one can be that setup takes for libtorch. */
export function fakeWheel(version = '2.13.0+cpu', extra: readonly ZipFile[] = []): Buffer {
  return makeZip([
    { name: 'torch/version.py', data: `__version__ = '${version}'\n` },
    { name: 'torch/lib/libtorch.so', data: 'a library', mode: 0o100755 },
    { name: 'torch/lib/libtorch_cpu.so', data: Buffer.alloc(300_000, 'x'), mode: 0o100755 },
    { name: 'torch/lib/libtorch_python.so', data: 'not needed', mode: 0o100755 },
    { name: 'torch/include/ATen/ATen.h', data: '#pragma once\n' },
    { name: 'torch/nn/functional.py', data: 'not needed' },
    ...extra,
  ])
}
