import { writeFile } from 'node:fs/promises'
import { temporaryPath } from './temporary.ts'

let count = 0

/** Writes these bytes to a file with the suffix of a checkpoint, which the test's end removes. */
export async function writePth(bytes: Uint8Array): Promise<string> {
  const path = temporaryPath(`checkpoint-${count++}.pth`)
  await writeFile(path, bytes)
  return path
}
