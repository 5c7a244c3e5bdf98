import { checkString } from '../checks/options.ts'
import { type CheckpointTensor, isPth, readPth } from './pth.ts'
import { readHeader } from './safetensors.ts'
import { withWeightsFile } from './weights-file.ts'

/** What a weights file says before its data. */
export interface Checkpoint {
  readonly format: 'safetensors' | 'pth'
  /** Free words about the file: only safetensors has them. */
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, CheckpointTensor>
  /** Tells the file that was read from another of its name. */
  readonly identity: string
}

/**
 * Reads which tensors a safetensors or `.pth` file holds, and where. Its first bytes tell the format, not its name.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE when the file cannot be opened or read, ERR_DIFFSAL_CHECKPOINT when it is damaged
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  checkString('path', path)
  const { head, identity } = await withWeightsFile(path, async ({ size, identity, read }) => ({ head: await read(0, Math.min(size, 16)), identity }))
  if (isPth(head)) return { format: 'pth', metadata: {}, tensors: await readPth(path), identity }
  const { metadata, tensors } = await readHeader(path)
  return { format: 'safetensors', metadata, tensors, identity }
}
