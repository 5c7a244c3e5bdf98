import { invalidArgumentText } from '../errors.ts'
import type { Faults } from '../files/faults.ts'
import { checkString } from '../checks/options.ts'
import { choice, number, readOptions, type OptionTable } from '../checks/table.ts'
import { readAsc } from './asc.ts'
import { findFixations } from './find-fixations.ts'
import { LeftOut } from './left-out.ts'
import { Looks } from './looks.ts'
import { notGaze } from './not-gaze.ts'
import { GazeRecording } from './recording.ts'
import { RowBudget } from './row-budget.ts'
import { readRows } from './rows.ts'
import type { GazeScreen, PictureSize } from './screen.ts'
import { Table, type TableOptions } from './table.ts'
import { trackerTable, type TrackerOptions } from './tracker-options.ts'

/** How {@link readGaze} reads a file. */
export interface ReadGazeOptions extends TrackerOptions {
  /** Frames a second of the video. Default: none, and a table whose rows name frames is refused. */
  rate?: number | undefined
  /** What becomes of rows that cannot be used: 'skip' leaves them out and logs a warning, 'error' throws. Default 'skip'. */
  faults?: 'skip' | 'error' | undefined
}

/** What there is to know of {@link ReadGazeOptions}. */
export const readGazeTable = {
  ...trackerTable,
  rate: number(1e-3, 1e5),
  faults: choice(['skip', 'error'] as const, { usual: 'skip' }),
} satisfies OptionTable<ReadGazeOptions>

/** What was read, before fixations are looked for. */
interface Read {
  /** Of what the looks are. */
  readonly form: 'fixations' | 'samples' | 'frames'
  readonly screen: GazeScreen | undefined
  readonly picture: PictureSize | undefined
}

/**
 * Reads where people looked in a video: a table (comma, semicolon or tab between cells, or JSON), an export of Tobii Pro Lab or Tobii Studio, a
 * report of EyeLink's Data Viewer, or an EyeLink's `.asc`. A table has a header, one row a fixation (`viewer,start_ms,duration_ms,x,y`), a
 * sample of a tracker (`viewer,time_ms,x,y`) or a frame (`viewer,frame,x,y`, frames from 0). Columns may stand in any order, and others beside
 * them. x and y are shares of width and height where neither a column's name nor an option says otherwise; times are from when the
 * video begins to play, with its picture or its sound, whichever comes first; of a table of
 * frames, from frame 0. The text is
 * UTF-8, or UTF-16 with its mark. A name that ends in `.gz` is unpacked.
 *
 * A sample lasts until the viewer's next row, but not longer than 50 ms. Rows that are no numbers, that lie outside the picture, or whose
 * time goes back for their viewer are left out with a warning, or refused.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE for a file that cannot be read, is no such table, does not tell a unit that no option tells, has no usable row,
 * more than 128 MiB, 5 million rows or 10,000 viewers and, where faults are errors, for each row that would be left out; ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function readGaze(path: string, options?: ReadGazeOptions): Promise<GazeRecording> {
  return readGazeWithin(new RowBudget(), path, options)
}

/**
 * As {@link readGaze}, where several files share the rows that they may have.
 *
 * @param begin when frame 0 is shown, in milliseconds: later than the video begins to play where its sound comes first
 */
export async function readGazeWithin(budget: RowBudget, path: string, options?: ReadGazeOptions, begin = 0): Promise<GazeRecording> {
  const { rate, faults, ...tracker } = readOptions<ReadGazeOptions, typeof readGazeTable>('options', options, readGazeTable)
  checkString('path', path)
  const plan: Faults = { faults }
  const leftOut = new LeftOut(path, plan)
  const looks = new Looks(path, leftOut, budget)
  const isAsc = /\.asc(\.gz)?$/i.test(path)
  const read = isAsc ? await readTrial(path, tracker, looks, leftOut) : await readTable(path, { ...tracker, rate, begin }, looks, leftOut)
  leftOut.report()
  looks.reportIdle(path, plan)
  const recording = new GazeRecording(looks.list)
  const { fixations } = tracker
  if (fixations === 'given' && read.form !== 'fixations') throw notGaze(path, `fixations: 'given' was said, but it tells ${read.form}`)
  if (fixations === undefined || typeof fixations === 'string') return recording
  if (read.form !== 'samples')
    throw invalidArgumentText('fixations', `left out, since '${path}' tells ${read.form} rather than samples`, `the method '${fixations.method}'`)
  const found = findFixations(recording, fixations, read.screen!, read.picture)
  if (found.looks.length === 0) throw notGaze(path, `no fixation was found in its ${recording.looks.length} samples`)
  return found
}

async function readTrial(path: string, tracker: TrackerOptions, looks: Looks, leftOut: LeftOut): Promise<Read> {
  const { given, screen } = await readAsc(path, tracker, looks, leftOut)
  if (looks.list.length === 0) throw unusable(path, leftOut, 'its places')
  return { form: given ? 'fixations' : 'samples', screen, picture: tracker.picture }
}

async function readTable(path: string, options: TableOptions, looks: Looks, leftOut: LeftOut): Promise<Read> {
  let table: Table | undefined
  await readRows(path, options.encoding, (cells, place) => {
    if (table === undefined) table = new Table(path, cells, options, looks, leftOut)
    else table.add(cells, place)
  })
  if (table === undefined) throw notGaze(path, 'it is empty')
  table.checkVideo()
  if (looks.list.length === 0) throw unusable(path, leftOut, `its ${table.rows} rows`)
  const { timing, fixation } = table.layout
  return { form: fixation ? 'fixations' : timing, ...table.measures }
}

/** The error for a file of which nothing can be used; it tells the first reason. */
function unusable(path: string, leftOut: LeftOut, rows: string): Error {
  return notGaze(path, `none of ${rows} can be used${leftOut.first === undefined ? '' : `: ${leftOut.first}`}`)
}
