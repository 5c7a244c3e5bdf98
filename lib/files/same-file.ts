import { stat } from 'node:fs/promises'
import { DiffSalError } from '../errors.ts'
import { withoutLinks } from './output-place.ts'

/** Where a file is: the same for all its names. */
export interface FileId {
  readonly place: string
  /** Of a file that is there. */
  readonly inode?: string
}

/** Where a name leads to. */
export async function fileId(path: string): Promise<FileId> {
  const place = withoutLinks(path)
  const inode = (await inodeOf(path)) ?? (await inodeOf(place))
  return { place, ...(inode !== undefined && { inode }) }
}

/** Tells a file that is there from all others. */
export async function inodeOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  return found && `${found.dev} ${found.ino}`
}

/** Whether both are one file. */
export function same(a: FileId, b: FileId): boolean {
  return a.place === b.place || (a.inode !== undefined && a.inode === b.inode)
}

/** Whether two names lead to one file. */
export async function sameFile(a: string, b: string): Promise<boolean> {
  return same(await fileId(a), await fileId(b))
}

/**
 * Refuses an output that would replace what is read.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export async function checkNoInput(output: string, inputs: readonly string[]): Promise<void> {
  const [file, given] = [await fileId(output), await inodeOf(output)]
  for (const input of inputs) {
    const source = await fileId(input)
    if (!same(file, source) && (given === undefined || given !== source.inode)) continue
    throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `The output '${output}' is the input '${input}' itself: choose another name.`, { argument: output })
  }
}
