import { createHash } from 'node:crypto'
import { dirname, join, relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parseJson } from '../files/json.ts'
import { bytesAt, readText, withRegularFile } from '../files/regular-file.ts'
import { writeWhole } from '../files/write-whole.ts'

/** What was made of a video. It is written last: whoever finds it finds all outputs whole. */
export interface FinishedRecord<Report> {
  /** What the outputs depend on besides the video. */
  readonly settings: unknown
  /** The video's {@link fingerprint}. */
  readonly source: string
  /** The {@link fingerprint} of what was made, by its name from the record's folder: another start may have replaced it since, and been killed. */
  readonly made: Readonly<Record<string, string>>
  readonly report: Report
}

/** Bytes of a video's beginning and of its end that tell it from another. */
const edge = 1 << 16

/** Tells a file from what it was before, or is elsewhere, without reading all of it: its length, its beginning and its end. Times of change differ from copy to copy. */
export function fingerprint(path: string): Promise<string> {
  return withRegularFile(path, async (file) => {
    const { size } = await file.stat()
    const [first, last] = [await bytesAt(file, 0, edge), await bytesAt(file, Math.max(0, size - edge), edge)]
    return `${size}-${createHash('sha256').update(first).update(last).digest('hex').slice(0, 32)}`
  })
}

/**
 * Writes that a video is finished.
 *
 * @param made the files that were made of it
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE
 */
export async function writeRecord<Report>(path: string, record: Omit<FinishedRecord<Report>, 'made'>, made: readonly string[]): Promise<void> {
  const { report, ...known } = record
  const prints: Record<string, string> = {}
  for (const file of made) prints[relative(dirname(path), file)] = await fingerprint(file)
  await writeWhole(path, `${JSON.stringify({ ...known, made: prints, report } satisfies FinishedRecord<Report>, undefined, 2)}\n`)
}

/** What a record says was made of this very video with these very settings, where all that was made is still there as it was; else undefined. */
export async function finishedReport<Report>(path: string, video: string, settings: unknown): Promise<Report | undefined> {
  const record = await readRecord<Report>(path)
  if (record === undefined || !isDeepStrictEqual(record.settings, JSON.parse(JSON.stringify(settings)))) return undefined
  for (const [name, print] of Object.entries(record.made)) {
    if ((await fingerprint(join(dirname(path), name)).catch(() => undefined)) !== print) return undefined
  }
  return record.source === (await fingerprint(video)) ? record.report : undefined
}

async function readRecord<Report>(path: string): Promise<FinishedRecord<Report> | undefined> {
  try {
    const record = parseJson(await readText(path)) as Partial<FinishedRecord<Report>> | null
    return isObject(record?.made) && isObject(record?.report) ? (record as FinishedRecord<Report>) : undefined
  } catch {
    // None, or none of ours.
    return undefined
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
