import { OutputPlace } from './output-place.ts'

/**
 * Looks whether {@link writeWhole} could write a file; leaves nothing.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE
 */
export async function checkWritable(path: string): Promise<void> {
  const place = await OutputPlace.holding(path, Buffer.alloc(0))
  await place.discard()
}

/**
 * Writes a file, of text or of bytes, beside its place and moves it there, so that there is never half of one.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await writeAll([[path, content]])
}

/** As {@link writeWhole}, of several files, which appear all or none. */
export async function writeAll(files: readonly (readonly [path: string, content: string | Uint8Array])[]): Promise<void> {
  const places: OutputPlace[] = []
  try {
    for (const [path, content] of files) {
      places.push(await OutputPlace.holding(path, typeof content === 'string' ? Buffer.from(content) : content))
    }
    for (const [i, place] of places.entries()) {
      await place.commit({ keep: files.length > 1 }).catch(async (error: unknown) => {
        for (const done of places.slice(0, i).toReversed()) await done.revert()
        throw error
      })
    }
  } finally {
    for (const place of places.toReversed()) await place.discard()
  }
}
