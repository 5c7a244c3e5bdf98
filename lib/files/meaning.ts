import { DiffSalError } from '../errors.ts'

/** What a file is to whoever asked for the work. */
export type FileMeaning = 'input' | 'weights' | 'output'

const meanings = new WeakMap<DiffSalError, FileMeaning>()

/** Runs work in which an error of a file is one of the input, the weights or the output. */
export async function filesMean<T>(meaning: FileMeaning, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DiffSalError && !meanings.has(error)) meanings.set(error, meaning)
    throw error
  }
}

/** What {@link filesMean} said of the work that failed so, innermost first. */
export function meaningOf(error: DiffSalError): FileMeaning | undefined {
  return meanings.get(error)
}
