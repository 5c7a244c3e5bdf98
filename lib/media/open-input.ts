import { invalidArgument } from '../errors.ts'
import { fetchBytes } from './fetch-bytes.ts'
import { spool, type SpoolOptions } from './spool.ts'
import { kindOfInput } from './video-input.ts'

/** How an input is opened. */
export interface OpenInputOptions extends SpoolOptions {
  /** Whether addresses are read. */
  readonly network: boolean
  /** What messages call a stream. Default: what it is. */
  readonly name?: string | undefined
}

/** An input as a file that ffmpeg opens as often as it likes: all that read it agree. */
export interface OpenedInput {
  readonly path: string
  /** What messages call it, where that is not the path. */
  readonly name?: string
  /** Removes the temporary file, where there is one. */
  close(): Promise<void>
}

/**
 * Opens an input: a file as it is, all else as a temporary file.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for what is no input; ERR_DIFFSAL_FILE for an address or a stream that cannot be read,
 * stalls or is too long; ERR_DIFFSAL_NO_SPACE
 */
export async function openInput(input: unknown, { network, name: called, ...options }: OpenInputOptions): Promise<OpenedInput> {
  options.signal?.throwIfAborted()
  const found = kindOfInput(input)
  if (found.kind === 'file') return { path: found.path, close: async () => undefined }
  const name = called ?? found.name
  if (found.kind === 'address' && !network) throw invalidArgument('input', "no address, where 'network' is false", found.name)
  const source = found.kind === 'address' ? await fetchBytes(found.url, name, options) : found.open()
  const { path, remove } = await spool(source, name, options)
  return { path, name, close: remove }
}
