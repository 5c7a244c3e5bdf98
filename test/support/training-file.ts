import { readFile, writeFile } from 'node:fs/promises'

type Header = Record<string, { data_offsets: [number, number] }> & { __metadata__: { training: string } }

/** Gives a checkpoint other `training` metadata. */
export async function changeTraining(path: string, change: (training: Record<string, unknown>) => object): Promise<void> {
  await changeFile(path, (header) => {
    header.__metadata__.training = JSON.stringify(change(JSON.parse(header.__metadata__.training) as Record<string, unknown>))
  })
}

/** Fills a tensor of a checkpoint with a value. */
export async function fillTensor(path: string, name: string, value: number): Promise<void> {
  await changeFile(path, (header, data) => {
    const [from, to] = header[name]!.data_offsets
    new Float32Array(data.buffer, data.byteOffset + from, (to - from) / 4).fill(value)
  })
}

async function changeFile(path: string, change: (header: Header, data: Uint8Array) => void): Promise<void> {
  const bytes = await readFile(path)
  const length = Number(bytes.readBigUInt64LE())
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Header
  const data = Uint8Array.from(bytes.subarray(8 + length))
  delete (header.__metadata__ as { diffsal_crc32?: string }).diffsal_crc32
  change(header, data)
  const text = Buffer.from(JSON.stringify(header))
  const start = Buffer.alloc(8 * Math.ceil(text.length / 8) + 8, ' ')
  start.writeBigUInt64LE(BigInt(start.length - 8))
  text.copy(start, 8)
  await writeFile(path, Buffer.concat([start, data]))
}
