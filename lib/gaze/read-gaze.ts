import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { DiffSalError } from '../errors.ts'
import { reportFault, type Faults } from '../faults.ts'
import { readWhole } from '../files/regular-file.ts'
import { rationalValue, type Rational } from '../media/rational.ts'
import { isInside } from './points.ts'
import { GazeRecording, type Look } from './recording.ts'

/** How a table tells when its rows are. */
type Timing = 'fixations' | 'samples' | 'frames'

/** The columns beside `viewer`, `x` and `y` by which a table is known. */
const timings: readonly { readonly timing: Timing; readonly columns: readonly string[] }[] = [
  { timing: 'fixations', columns: ['start_ms', 'duration_ms'] },
  { timing: 'samples', columns: ['time_ms'] },
  { timing: 'frames', columns: ['frame'] },
]

/** For how long a viewer is taken to go on looking where a sample was, in milliseconds, when no other follows: a blink or a loss of track. */
const held = 50

/** The most that a table may have, in bytes, unpacked where it is packed. */
const mostUnpacked = 256 << 20

/**
 * Reads a table of where people looked in a video: comma-separated, with a header, one row a fixation (`viewer,start_ms,duration_ms,x,y`), a
 * sample of a tracker (`viewer,time_ms,x,y`) or a frame (`viewer,frame,x,y`, frames from 0). x and y are shares of width and height,
 * times are from the first frame. A name that ends in `.gz` is unpacked.
 *
 * Rows that are no numbers, that lie outside the picture, or whose time goes back for their viewer are left out with a warning, or refused.
 *
 * @param rate Frames a second, for rows that name frames.
 * @throws DiffSalError ERR_DIFFSAL_FILE for a file that cannot be read, is no such table or has no usable row, and, where faults are errors,
 * for each row that would be left out
 */
export async function readGaze(path: string, rate: Rational, plan: Faults): Promise<GazeRecording> {
  const [header = [], ...rows] = tableOf(path, await textOf(path))
  const names = header.map((name) => name.trim().toLowerCase())
  const found = timings.find(({ columns }) => ['viewer', 'x', 'y', ...columns].every((name) => names.includes(name)))
  if (found === undefined) {
    const forms = timings.map(({ columns }) => `'${['viewer', ...columns, 'x', 'y'].join()}'`).join(', ')
    throw notATable(path, `its first row must name the columns, such as ${forms}, but it is '${header.join().slice(0, 200)}'`)
  }
  const at = (name: string): number => names.indexOf(name)
  const [viewer, x, y, ...times] = ['viewer', 'x', 'y', ...found.columns].map(at) as [number, number, number, ...number[]]
  const faults = new RowFaults(path, plan)
  const last = new Map<string, number>()
  const kept: { viewer: string; x: number; y: number; times: number[] }[] = []
  for (const [i, row] of rows.entries()) {
    const one = { viewer: row[viewer] ?? '', x: numberIn(row[x]), y: numberIn(row[y]), times: times.map((column) => numberIn(row[column])) }
    const { timing } = found
    const [time = Number.NaN, duration = 0] = one.times
    const problem =
      one.viewer === '' ? 'names no viewer'
      : [one.x, one.y, ...one.times].some((value) => !Number.isFinite(value)) ? 'is not all numbers'
      : timing === 'fixations' && duration < 0 ? 'has a negative duration'
      : timing === 'frames' && !Number.isInteger(time) ? 'has a frame that is no whole number'
      : !isInside(one) ? 'lies outside the picture'
      : time < (last.get(one.viewer) ?? -Infinity) ? 'goes back in time'
      : undefined
    if (problem !== undefined) {
      faults.add(problem, i + 2, row)
      continue
    }
    last.set(one.viewer, time)
    kept.push(one)
  }
  faults.report()
  if (kept.length === 0) throw notATable(path, `none of its ${rows.length} rows can be used`)
  return new GazeRecording(looksOf(kept, found.timing, rate))
}

function looksOf(rows: readonly { viewer: string; x: number; y: number; times: readonly number[] }[], timing: Timing, rate: Rational): Look[] {
  const frame = 1000 / rationalValue(rate)
  if (timing === 'fixations') return rows.map(({ times, ...point }) => ({ ...point, start: times[0]!, duration: times[1]! }))
  if (timing === 'frames') return rows.map(({ times, ...point }) => ({ ...point, start: (times[0]! - 0.5) * frame, duration: frame }))
  const next = new Map<string, number>()
  const looks: Look[] = []
  for (const { times, ...point } of [...rows].reverse()) {
    const [start] = times as [number]
    looks.push({ ...point, start, duration: Math.min(held, (next.get(point.viewer) ?? Infinity) - start) })
    next.set(point.viewer, start)
  }
  return looks
}

/** What is wrong with rows, told once a kind. */
class RowFaults {
  readonly #path: string
  readonly #plan: Faults
  readonly #kinds = new Map<string, { readonly row: number; readonly text: string; count: number }>()

  constructor(path: string, plan: Faults) {
    this.#path = path
    this.#plan = plan
  }

  add(problem: string, row: number, cells: readonly string[]): void {
    const kind = this.#kinds.get(problem) ?? { row, text: cells.join().slice(0, 100), count: 0 }
    this.#kinds.set(problem, kind)
    kind.count += 1
    if (this.#plan.faults === 'error') this.report()
  }

  report(): void {
    for (const [problem, { row, text, count }] of this.#kinds) {
      const others = count > 1 ? `, as do ${count - 1} more rows` : ''
      reportFault(this.#plan, `Row ${row} of '${this.#path}' ${problem} ('${text}')${others}`, count > 1 ? 'they are left out' : 'it is left out', this.#path)
    }
  }
}

/** The number that a cell says; NaN for an empty one, which would otherwise count as 0. */
function numberIn(cell: string | undefined): number {
  return cell === undefined || cell.trim() === '' ? Number.NaN : Number(cell)
}

async function textOf(path: string): Promise<string> {
  const bytes = await readWhole(path, mostUnpacked)
  if (!path.toLowerCase().endsWith('.gz')) return bytes.toString('utf8')
  try {
    return (await promisify(gunzip)(bytes, { maxOutputLength: mostUnpacked })).toString('utf8')
  } catch (cause) {
    throw notATable(path, `it cannot be unpacked: ${(cause as Error).message}`, cause)
  }
}

function tableOf(path: string, text: string): string[][] {
  try {
    return parse(text, { bom: true, skip_empty_lines: true, relax_column_count: true })
  } catch (cause) {
    throw notATable(path, (cause as Error).message, cause)
  }
}

function notATable(path: string, why: string, cause?: unknown): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_FILE', `'${path}' is no table of where people looked: ${why}.`, { argument: path, cause })
}
