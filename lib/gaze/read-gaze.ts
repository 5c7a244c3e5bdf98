import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TextDecoder } from 'node:util'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import { checkChoice, checkNumber, checkOptions, checkString } from '../checks/options.ts'
import { DiffSalError, invalidArgument, shortened } from '../errors.ts'
import { withRegularFile } from '../files/regular-file.ts'
import { LeftOut } from './left-out.ts'
import { isInside } from './points.ts'
import { GazeRecording, type GazeLook } from './recording.ts'

/** How {@link readGaze} reads a table. */
export interface ReadGazeOptions {
  /** Frames a second of the video. Default: none, and a table whose rows name frames is refused. */
  rate?: number | undefined
  /** What becomes of rows that cannot be used: 'skip' leaves them out and logs a warning, 'error' throws. Default 'skip'. */
  faults?: 'skip' | 'error' | undefined
}

/** How a table tells when its rows are. */
type Timing = 'fixations' | 'samples' | 'frames'

/** The columns beside `viewer`, `x` and `y` by which a table is known; where several are there, the first counts. */
const timings: readonly { readonly timing: Timing; readonly columns: readonly string[] }[] = [
  { timing: 'fixations', columns: ['start_ms', 'duration_ms'] },
  { timing: 'samples', columns: ['time_ms'] },
  { timing: 'frames', columns: ['frame'] },
]

/** For how long a viewer is taken to go on looking where a sample was, in milliseconds, when no other follows: a blink or a loss of track. */
const held = 50

/** The most that a table may have: bytes, unpacked where it is packed, and viewers, of whom each may look at every frame. */
const most = { bytes: 128 << 20, viewers: 10_000 }

/**
 * Reads a table of where people looked in a video: comma-separated, with a header, one row a fixation (`viewer,start_ms,duration_ms,x,y`), a
 * sample of a tracker (`viewer,time_ms,x,y`) or a frame (`viewer,frame,x,y`, frames from 0). Columns may stand in any order, and others beside
 * them. x and y are shares of width and height, times are from the first frame. The text is
 * UTF-8, or UTF-16 with its mark. A name that ends in `.gz` is unpacked.
 *
 * A sample lasts until the viewer's next row, but not longer than 50 ms. Rows that are no numbers, that lie outside the picture, or whose
 * time goes back for their viewer are left out with a warning, or refused.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE for a file that cannot be read, is no such table, has no usable row, more than 128 MiB, 5 million rows or
 * 10,000 viewers and, where faults are errors, for each row that would be left out; ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function readGaze(path: string, options?: ReadGazeOptions): Promise<GazeRecording> {
  return readTable(path, options, new RowBudget())
}

/** As {@link readGaze}, where several tables share the rows that they may have. */
export async function readTable(path: string, options: ReadGazeOptions | undefined, budget: RowBudget): Promise<GazeRecording> {
  const { rate, faults = 'skip' } = checkOptions<ReadGazeOptions>('options', options, ['rate', 'faults'])
  checkString('path', path)
  if (rate !== undefined) checkNumber('rate', rate, 1e-3, 1e5)
  const leftOut = new LeftOut(path, { faults: checkChoice('faults', faults, ['skip', 'error']) })
  let table: Table | undefined
  await readRows(path, (cells, line) => {
    if (table === undefined) table = new Table(path, cells, rate, leftOut, budget)
    else table.add(cells, line)
  })
  leftOut.report()
  if (table === undefined) throw notATable(path, 'it is empty')
  if (table.looks.length === 0) throw notATable(path, `none of its ${table.rows} rows can be used`)
  return new GazeRecording(table.looks)
}

/** How many rows may be in memory together. A look takes some 150 bytes. */
const mostRows = 5_000_000

/** The rows that tables read together may have: packed ones are a thousandth of what they become. */
export class RowBudget {
  #left = mostRows

  /** Takes one; false where none is left. */
  take(): boolean {
    return (this.#left -= 1) >= 0
  }
}

/** Takes the rows of a table, one after the other. */
class Table {
  readonly looks: { -readonly [K in keyof GazeLook]: GazeLook[K] }[] = []
  rows = 0
  readonly #path: string
  readonly #timing: Timing
  /** How many cells a row has. */
  readonly #width: number
  /** Where in a row are viewer, x, y and the times. */
  readonly #at: readonly number[]
  /** A frame's milliseconds. */
  readonly #frame: number
  readonly #leftOut: LeftOut
  readonly #budget: RowBudget
  /** Each viewer's last time, and the look that still lasts. */
  readonly #last = new Map<string, { time: number; look: Table['looks'][number] | undefined }>()

  constructor(path: string, header: readonly string[], rate: number | undefined, leftOut: LeftOut, budget: RowBudget) {
    const names = header.map((name) => name.toLowerCase())
    const found = timings.find(({ columns }) => ['viewer', 'x', 'y', ...columns].every((name) => names.includes(name)))
    if (found === undefined) {
      const forms = timings.map(({ columns }) => `'${['viewer', ...columns, 'x', 'y'].join()}'`).join(', ')
      throw notATable(path, `its first row must name the columns, such as ${forms}, but it is '${header.join().slice(0, 200)}'`)
    }
    const wanted = ['viewer', 'x', 'y', ...found.columns]
    const twice = wanted.find((name) => names.indexOf(name) !== names.lastIndexOf(name))
    if (twice !== undefined) throw notATable(path, `its first row names the column '${twice}' twice`)
    if (found.timing === 'frames' && rate === undefined) throw invalidArgument('rate', `the video's frames a second, since '${shortened(path)}' tells frames`, rate)
    this.#path = path
    this.#timing = found.timing
    this.#width = header.length
    this.#at = wanted.map((name) => names.indexOf(name))
    this.#frame = 1000 / (rate ?? 1)
    this.#leftOut = leftOut
    this.#budget = budget
  }

  /** @param line its number in the file, from 1 */
  add(cells: readonly string[], line: number): void {
    this.rows += 1
    if (!this.#budget.take()) throw notATable(this.#path, `with it, there are more than ${mostRows} rows; thin it out`)
    const [viewer, ...texts] = this.#at.map((column) => cells[column] ?? '') as [string, ...string[]]
    const [x, y, time, duration = 0] = texts.map(numberIn) as [number, number, number, number?]
    const leave = (problem: string) => this.#leftOut.add(problem, `Row ${line}`, () => cells.join())
    if (cells.length !== this.#width) return leave(`does not have ${this.#width} cells`)
    if (viewer === '') return leave('names no viewer')
    if (!Number.isFinite(time) || !Number.isFinite(duration)) return leave('is not all numbers')
    if (this.#timing === 'frames' && !(Number.isInteger(time) && time >= 0)) return leave('has a frame that is no whole number from 0 on')
    if (duration < 0) return leave('has a negative duration')
    const last = this.#last.get(viewer) ?? { time: -Infinity, look: undefined }
    if (time < last.time) return leave('goes back in time')
    // A row without a place ends the look before it too: the eye was shut, or elsewhere.
    if (this.#timing === 'samples' && last.look) last.look.duration = Math.min(held, time - last.look.start)
    if (last.time === -Infinity && this.#last.size === most.viewers) throw notATable(this.#path, `it has more than ${most.viewers} viewers`)
    const now: typeof last = { time, look: undefined }
    this.#last.set(viewer, now)
    if (!Number.isFinite(x) || !Number.isFinite(y)) return leave('is not all numbers')
    if (!isInside({ x, y })) return leave('lies outside the picture')
    now.look = { viewer, x, y, ...this.#span(time, duration) }
    this.looks.push(now.look)
  }

  #span(time: number, duration: number): { start: number; duration: number } {
    if (this.#timing === 'fixations') return { start: time, duration }
    if (this.#timing === 'samples') return { start: time, duration: held }
    return { start: (time - 0.5) * this.#frame, duration: this.#frame }
  }
}

/** The number that a cell says; NaN for an empty one, which would otherwise count as 0. */
function numberIn(cell: string): number {
  return cell === '' ? Number.NaN : Number(cell)
}

/** Gives the rows of a file to `take`, as they are read: no more than a piece of it is in memory. */
async function readRows(path: string, take: (cells: string[], line: number) => void): Promise<void> {
  const parser = parse({
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: 1 << 16,
    on_record: (cells: string[], { lines }) => {
      take(cells, lines)
      return null
    },
  })
  const packed = path.toLowerCase().endsWith('.gz')
  await withRegularFile(path, async (file) => {
    try {
      await pipeline([file.createReadStream({ autoClose: false, start: 0 }), ...(packed ? [createGunzip()] : []), utf8(path), parser.resume()])
    } catch (cause) {
      if (cause instanceof DiffSalError || (cause as NodeJS.ErrnoException).syscall !== undefined) throw cause
      const unpacking = String((cause as NodeJS.ErrnoException).code).startsWith('Z_')
      throw notATable(path, `${unpacking ? 'it cannot be unpacked: ' : ''}${shortened((cause as Error).message)}`, cause)
    }
  })
}

/** Lets text through without its byte-order mark, as UTF-8, and no more than a table's most: a small packed file can become one of any size. */
function utf8(path: string): Transform {
  let bytes = 0
  let decoder: TextDecoder | undefined
  return new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length
      if (bytes > most.bytes) return done(notATable(path, `it has more than ${most.bytes} bytes; part it into several`))
      decoder ??= new TextDecoder(chunk[0] === 0xff && chunk[1] === 0xfe ? 'utf-16le' : chunk[0] === 0xfe && chunk[1] === 0xff ? 'utf-16be' : 'utf-8')
      done(null, decoder.decode(chunk, { stream: true }))
    },
  })
}

function notATable(path: string, why: string, cause?: unknown): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_FILE', `'${shortened(path)}' is no table of where people looked: ${why}.`, { argument: path, cause })
}
