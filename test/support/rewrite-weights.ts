import { readFile } from 'node:fs/promises'
import { byteLength, headerBytes, readHeader, type TensorKind } from '../../lib/checkpoint/safetensors.ts'
import { writeBytes, writeSafetensors } from './damaged-safetensors.ts'

/** A tensor with its bytes. */
export interface StoredTensor extends TensorKind {
  readonly bytes: Uint8Array
}

/** What a header's JSON says of one tensor. */
export interface RawEntry {
  dtype: string
  shape: number[]
  data_offsets: [begin: number, end: number]
}

/** Writes a proper file with other tensors, or other metadata, than the weights at `path`. Returns its path. */
export async function rewriteWeights(
  path: string,
  change: (tensors: Map<string, StoredTensor>) => void,
  changeMetadata: (metadata: Record<string, string>) => void = () => {},
): Promise<string> {
  const [header, bytes] = await Promise.all([readHeader(path), readFile(path)])
  const tensors = new Map<string, StoredTensor>()
  for (const [name, { dtype, shape, begin, end }] of header.tensors) tensors.set(name, { dtype, shape, bytes: bytes.subarray(begin, end) })
  const metadata = { ...header.metadata }
  delete metadata.diffsal_crc32
  change(tensors)
  changeMetadata(metadata)
  return writeBytes(Buffer.concat([headerBytes(tensors, metadata), ...[...tensors.values()].map((tensor) => tensor.bytes)]))
}

/** Writes the weights at `path` with a header that `change` has been at, the data as it was. Returns the new file's path. */
export async function damageHeader(path: string, change: (entries: Record<string, RawEntry>) => void): Promise<string> {
  const [{ dataStart }, bytes] = await Promise.all([readHeader(path), readFile(path)])
  const header = JSON.parse(bytes.toString('utf8', 8, dataStart)) as Record<string, RawEntry>
  delete (header.__metadata__ as unknown as Record<string, string> | undefined)?.diffsal_crc32
  change(header)
  return writeSafetensors(header, bytes.subarray(dataStart))
}

/** A tensor of zeros. */
export function zeros(dtype: TensorKind['dtype'], shape: readonly number[]): StoredTensor {
  return { dtype, shape, bytes: new Uint8Array(byteLength({ dtype, shape })) }
}
