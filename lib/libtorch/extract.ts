import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import type { Entry, ZipFile } from 'yauzl'
import { DiffSalError, fileError } from '../errors.ts'
import { openZip } from './open-zip.ts'
import type { OnProgress } from './progress.ts'

// Of lib/: libtorch, the runtimes of OpenMP and, for arm64, of matrices that it brings, and in the C++ archive for CUDA also CUDA's libraries. Not Python's binding
// and the test libraries. Some builds put a hash before the suffix (libgomp-24e2ab19.so.1).
const libraries =
  /^lib\/lib(torch(_cpu|_cuda\w*|_global_deps|_nvshmem)?|c10(_cuda)?|caffe2_nvrtc|gomp|gfortran|openblas|arm_compute\w*|cu\w+|nv\w+|nccl\w*)(-[0-9a-f]+)?\.so(\.\d+)*$/
const lanes = 8
const headers = /^include\/(ATen|c10|torch|caffe2)\/./
const rest = /^(share\/cmake\/.+|version\.py|build-version|build-hash)$/

/**
 * Where a file of an archive goes, `undefined` for what is not needed. A wheel's `torch/` and the C++ archive's `libtorch/` both
 * become `torch/`. CUDA's own wheels keep their `nvidia/`, which is beside `torch/` because libtorch_cuda looks for
 * `../../nvidia/<name>/lib` from where it is.
 */
export function targetOf(name: string): string | undefined {
  if (/^nvidia\/(\w+\/)+lib\/[^/]+\.so(\.\d+)*$/.test(name)) return name
  const inside = /^(?:lib)?torch\/(.+[^/])$/.exec(name)?.[1]
  if (inside === undefined) return undefined
  return libraries.test(inside) || headers.test(inside) || rest.test(inside) ? `torch/${inside}` : undefined
}

/**
 * Unpacks the needed files of a zip (a wheel is one) into `folder`, with their permissions, each checked against its CRC and
 * flushed to disk.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE when it is not a zip, is damaged, or an entry would leave the folder;
 * ERR_DIFFSAL_NO_SPACE
 */
export async function extractArchive(archive: string, folder: string, onProgress?: OnProgress, signal?: AbortSignal): Promise<void> {
  let zip: ZipFile
  try {
    zip = await openZip(archive)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw fileError('read', archive, error)
    throw damaged(archive, error)
  }
  try {
    const files: { entry: Entry; target: string }[] = []
    let total = 0
    // yauzl refuses absolute names and names with `..` here, whether wanted or not.
    for await (const entry of zip.eachEntry()) {
      const target = targetOf(entry.fileName)
      if (target === undefined) continue
      files.push({ entry, target })
      total += entry.uncompressedSize
    }
    let done = 0
    const advance = (bytes: number): void => onProgress?.({ phase: 'unpack', done: (done += bytes), total })
    const made = new Map<string, Promise<unknown>>()
    await inParallel(files, async ({ entry, target }) => {
      signal?.throwIfAborted()
      const path = join(folder, target)
      const parent = dirname(path)
      if (!made.has(parent)) made.set(parent, mkdir(parent, { recursive: true }))
      await made.get(parent)
      await extractEntry(zip, entry, path, advance)
    })
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    const { syscall, path } = error as NodeJS.ErrnoException
    if (syscall !== undefined) throw fileError('write', path ?? folder, error)
    throw damaged(archive, error)
  } finally {
    zip.close()
  }
}

/** Several at a time, since thousands of small files each wait for the disk. After a failure nothing goes on in the background. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  let stopped = false
  const lane = async (): Promise<void> => {
    try {
      for (const item of queue) {
        if (stopped) return
        await work(item)
      }
    } finally {
      stopped = true
    }
  }
  const results = await Promise.allSettled(Array.from({ length: lanes }, lane))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

async function extractEntry(zip: ZipFile, entry: Entry, path: string, advance: (bytes: number) => void): Promise<void> {
  const unixMode = entry.externalFileAttributes >>> 16
  if ((unixMode & 0o170000) === 0o120000) throw new Error(`'${entry.fileName}' is a symbolic link`)
  const mode = (unixMode & 0o777) === 0 ? 0o644 : unixMode & 0o777
  let crc = 0
  const check = async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      crc = crc32(piece, crc)
      advance(piece.length)
      yield piece
    }
    if (crc !== entry.crc32) throw new Error(`the checksum of '${entry.fileName}' is wrong`)
  }
  await pipeline(await zip.openReadStreamPromise(entry), check, createWriteStream(path, { flags: 'wx', mode, flush: true }))
}

function damaged(archive: string, cause: unknown): DiffSalError {
  const why = (cause as Error).message
  return new DiffSalError('ERR_DIFFSAL_FILE', `Cannot unpack '${archive}': it is not a zip or wheel, or it is damaged (${why}).`, {
    argument: archive,
    cause,
  })
}
