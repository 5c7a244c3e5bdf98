import { PickleError } from './pickle-bytes.ts'
import type { PthContent, StoredBytes } from './pth-content.ts'
import { isLegacy, readLegacy } from './pth-legacy.ts'
import { readZip } from './pth-zip.ts'
import type { TensorEntry } from './safetensors.ts'
import { findTensors } from './state-dict.ts'
import { contiguousStrides, elementCount, elementSpan, isContiguous } from './strides.ts'
import { type TensorReference, UnknownGlobal } from './torch-globals.ts'
import { bytesOf, damaged, shown, unusable, withWeightsFile, type WeightsFile } from './weights-file.ts'

/** One tensor of a checkpoint. */
export interface CheckpointTensor extends TensorEntry {
  /**
   * Steps between its elements along each dimension, in elements, where they do not lie one after the other, or share bytes
   * with another tensor's: such a tensor is gathered into memory of its own. `end` is then after the last of its bytes.
   */
  readonly strides?: readonly number[]
  /** Its bytes, of which `begin` and `end` are the offsets, where they are compressed in the file. */
  readonly data?: Uint8Array
}

/** How many bytes of tensors a file may promise for each of its own, and at least. Views of one byte can promise any number. */
const promise = { factor: 4, least: 64 * 1024 * 1024 }

/** Whether a file begins as one that `torch.save` wrote, in either format. */
export function isPth(head: Buffer): boolean {
  return isZip(head) || isLegacy(head)
}

function isZip(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'PK\x03\x04'
}

/**
 * Reads where the tensors of a `.pth` file are, without running anything of it and without reading their data. Of a checkpoint of
 * a training program those of the model are given, not the optimiser's.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE when the file cannot be opened or read, ERR_DIFFSAL_CHECKPOINT when it is damaged, would run
 * code elsewhere, or holds no tensors
 */
export function readPth(path: string): Promise<Map<string, CheckpointTensor>> {
  return withWeightsFile(path, async (file) => {
    try {
      const content = isZip(await file.read(0, Math.min(4, file.size))) ? await readZip(file) : await readLegacy(file)
      return await findEntries(file, content)
    } catch (error) {
      if (!(error instanceof PickleError)) throw error
      const { what, expected, received } = error
      if (!(error instanceof UnknownGlobal)) throw damaged(path, what, expected, received, error)
      throw unusable(path, what, expected, received, 'Save the tensors alone: torch.save(model.state_dict(), path).', error)
    }
  })
}

async function findEntries(file: WeightsFile, { value, locate, finish }: PthContent): Promise<Map<string, CheckpointTensor>> {
  const { path } = file
  const references = findTensors(value)
  if (references.size === 0) {
    throw damaged(path, 'it holds no tensors by name', "tensors in a dict, or under its 'state_dict'", 'none')
  }
  const tensors = new Map<string, CheckpointTensor>()
  let promised = 0
  for (const [name, reference] of references) {
    promised += elementCount(reference.shape) * reference.element.bytes
    if (promised > Math.max(promise.least, promise.factor * file.size)) {
      throw damaged(path, `its tensors up to '${shown(name)}' are larger than the file`, `about ${bytesOf(file.size)}`, bytesOf(promised))
    }
    tensors.set(name, entryOf(path, name, reference, await locate(reference.storage)))
  }
  finish()
  return separate(tensors)
}

/** The place of a tensor's elements, which are inside of its storage. */
function entryOf(path: string, name: string, reference: TensorReference, bytes: StoredBytes): CheckpointTensor {
  const { storage, element, offset, shape, strides } = reference
  const fail = (what: string, expected: string, received: string) => damaged(path, `tensor '${shown(name)}' ${what}`, expected, received)
  if (element.dtype === undefined) throw fail('has a type that is not read', 'numbers', element.name)
  // Views are counted in the storage's elements, tensors in their own: they differ where a storage is bytes.
  const first = bytes.begin + storage.begin * storage.element.bytes
  const last = bytes.begin + storage.end * storage.element.bytes
  const begin = first + offset * element.bytes
  const end = begin + elementSpan(reference) * element.bytes
  // Of an empty tensor the offset may be anything, and points nowhere.
  if (shape.includes(0)) return { dtype: element.dtype, shape, begin: first, end: first }
  if (end > last) throw fail('reaches out of its storage', `at most ${bytesOf(last - first)}`, bytesOf(end - first))
  const place = { dtype: element.dtype, shape, begin, end, ...(bytes.inflated && { data: bytes.inflated }) }
  return isContiguous(reference) ? place : { ...place, strides }
}

/** Gives strides to tensors that share bytes of the file, so that each gets memory of its own, as `load_state_dict` does. */
function separate(tensors: Map<string, CheckpointTensor>): Map<string, CheckpointTensor> {
  const inOrder = [...tensors].filter(([, { begin, end, data }]) => begin < end && data === undefined).sort(([, a], [, b]) => a.begin - b.begin)
  let reach = 0
  for (const [i, [name, tensor]] of inOrder.entries()) {
    const next = inOrder[i + 1]
    const shared = tensor.begin < reach || (next !== undefined && next[1].begin < tensor.end)
    reach = Math.max(reach, tensor.end)
    if (shared && tensor.strides === undefined) tensors.set(name, { ...tensor, strides: contiguousStrides(tensor.shape) })
  }
  return tensors
}
