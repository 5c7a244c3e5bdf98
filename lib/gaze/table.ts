import { DiffSalError } from '../errors.ts'
import { eyeLinkLayout } from './eyelink-layout.ts'
import { headingsOf, type Heading } from './heading.ts'
import type { Layout, TimeColumn } from './layout.ts'
import type { LeftOut } from './left-out.ts'
import type { Looks } from './looks.ts'
import { notGaze } from './not-gaze.ts'
import { placerOf, type Placer } from './places.ts'
import { plainLayout } from './plain-layout.ts'
import type { GazeScreen, PictureSize } from './screen.ts'
import { tobiiLayout } from './tobii-layout.ts'
import type { TrackerOptions } from './tracker-options.ts'
import { isOfVideo } from './video-name.ts'

/** How a table is read. */
export interface TableOptions extends TrackerOptions {
  /** Frames a second. */
  readonly rate: number | undefined
  /** When frame 0 is shown, in milliseconds. */
  readonly begin: number
}

/** Takes the rows of a table, one after the other. */
export class Table {
  rows = 0
  readonly layout: Layout
  readonly #path: string
  readonly #options: TableOptions
  readonly #looks: Looks
  readonly #leftOut: LeftOut
  /** How many cells a row has. */
  readonly #width: number
  readonly #placers = new Map<string, { readonly place: Placer; readonly screen: GazeScreen | undefined; readonly picture: PictureSize | undefined }>()
  /** The videos that rows are about. */
  readonly #videos = new Set<string>()
  /** When each viewer's first row was, and of which trial it is. */
  readonly #begun = new Map<string, { readonly time: number; readonly trial: string }>()
  /** How many rows were of the video. */
  #counted = 0

  constructor(path: string, header: readonly string[], options: TableOptions, looks: Looks, leftOut: LeftOut) {
    const headings = headingsOf(header)
    this.layout = tobiiLayout(path, headings, options) ?? eyeLinkLayout(path, headings, options) ?? plainLayout(path, headings, options)
    if (this.layout.timing === 'frames' && options.rate === undefined) throw noRate(path)
    if (typeof options.start === 'string') throw invalidStart(path, options.start)
    this.#path = path
    this.#options = options
    this.#looks = looks
    this.#leftOut = leftOut
    this.#width = header.length
  }

  /** The screen and the video's size, as given or as the file tells them. */
  get measures(): { readonly screen: GazeScreen | undefined; readonly picture: PictureSize | undefined } {
    return this.#placers.values().next().value ?? { screen: this.#options.screen, picture: this.#options.picture }
  }

  /** @param where what the row is called in messages */
  add(cells: readonly string[], where: string): void {
    this.rows += 1
    const leave = (problem: string) => this.#leftOut.add(problem, where, () => cells.join())
    if (cells.length !== this.#width) return leave(`does not have ${this.#width} cells`)
    const { layout } = this
    const cell = (heading: Heading) => cells[heading.column]!
    if (layout.only && !layout.only.value.test(cell(layout.only.heading))) return
    if (layout.video && !this.#isWanted(cell(layout.video))) return
    this.#counted += 1
    const viewer = layout.viewer ? cell(layout.viewer) : this.#options.viewer!
    if (viewer === '') return leave(`names no viewer in the column '${layout.viewer!.name}'`)
    const times = this.#timesOf(cells, viewer, leave)
    if (times === undefined) return
    this.#checkTrial(viewer, layout.trial ? cell(layout.trial) : '', where)
    const place = this.#placeOf(cells, leave)
    this.#looks.add({ viewer, ...times, place, ...(layout.fixation && { fixation: cell(layout.fixation) }) }, where, () => cells.join())
  }

  /** @throws DiffSalError ERR_DIFFSAL_FILE where no row was of the video that counts */
  checkVideo(): void {
    if (this.#counted > 0 || this.#videos.size === 0) return
    const names = [...this.#videos]
      .slice(0, 8)
      .map((name) => `'${name.slice(0, 100)}'`)
      .join(', ')
    throw notGaze(
      this.#path,
      `none of its rows is about '${this.#options.video}': its column '${this.layout.video!.name}' has ${names}. Say video: 'NAME' where it is called otherwise`,
    )
  }

  #isWanted(name: string): boolean {
    if (name === '' || /^nan$/i.test(name)) return false
    this.#videos.add(name)
    const { video } = this.#options
    if (video !== undefined) return isOfVideo(name, video)
    if (this.#videos.size === 1) return true
    const [one, other] = [...this.#videos]
    throw notGaze(
      this.#path,
      `its column '${this.layout.video!.name}' names several videos ('${one!.slice(0, 100)}', '${other!.slice(0, 100)}'): say video: 'NAME'`,
    )
  }

  #timesOf(cells: readonly string[], viewer: string, leave: (problem: string) => void): { time: number; duration?: number } | undefined {
    const { timing, time: column, zero, duration, end, fromFirst } = this.layout
    const read = (one: TimeColumn): number | undefined => {
      const value = this.#number(cells, one.heading)
      if (typeof value === 'number') return value * one.scale
      leave(value)
      return undefined
    }
    const at = read(column)
    const before = zero ? read(zero) : 0
    if (at === undefined || before === undefined) return undefined
    if (timing === 'frames') {
      if (!(Number.isInteger(at) && at >= 0)) return void leave(`has a frame that is no whole number from 0 on in the column '${column.heading.name}'`)
      const frame = 1000 / this.#options.rate!
      return { time: this.#options.begin + (at - 0.5) * frame, duration: frame }
    }
    const first = fromFirst ? (this.#begun.get(viewer)?.time ?? at) : 0
    if (!this.#begun.has(viewer)) this.#begun.set(viewer, { time: at, trial: this.layout.trial ? cells[this.layout.trial.column]! : '' })
    const time = at - before - first - Number(this.#options.start ?? 0) * column.scale
    if (timing === 'samples') return { time }
    const length = duration ? read(duration) : read(end!)
    if (length === undefined) return undefined
    const lasts = duration ? length : length - at
    if (lasts < 0) return void leave(`has a negative duration in the column '${(duration ?? end)!.heading.name}'`)
    return { time, duration: lasts }
  }

  /** Two showings to one viewer would be taken for one. */
  #checkTrial(viewer: string, trial: string, where: string): void {
    const begun = this.#begun.get(viewer)
    if (begun === undefined || begun.trial === trial) return
    const column = this.layout.trial!.name
    const how = this.layout.video
      ? 'part the file, or leave out the rows of one'
      : "say columns: { video: 'NAME' }, the column that tells which video a row is about, or part the file"
    throw notGaze(
      this.#path,
      `${where} is of another showing of the video to '${viewer.slice(0, 100)}' than the rows before (column '${column}', '${trial.slice(0, 100)}' after '${begun.trial.slice(0, 100)}'): ${how}`,
    )
  }

  /** In shares; undefined where the eye was shut or the row has no place. */
  #placeOf(cells: readonly string[], leave: (problem: string) => void): { x: number; y: number } | undefined {
    const { eyes, shut = [], missing } = this.layout
    if (shut.some(({ heading, value }) => value.test(cells[heading.column]!))) return undefined
    const seen: [number, number][] = []
    for (const { x, y } of eyes) {
      if ([x, y].some(({ column }) => missing?.test(cells[column]!))) continue
      const [across, down] = [this.#number(cells, x), this.#number(cells, y)]
      if (typeof across === 'string' || typeof down === 'string') return void leave(typeof across === 'string' ? across : (down as string))
      seen.push([across, down])
    }
    if (seen.length === 0) return undefined
    const mean = (axis: 0 | 1) => seen.reduce((sum, eye) => sum + eye[axis], 0) / seen.length
    return this.#placerOf(cells)(mean(0), mean(1))
  }

  #placerOf(cells: readonly string[]): Placer {
    const { told, places } = this.layout
    const sizes = Object.values(told ?? {}).flatMap((columns) => (columns as readonly Heading[] | undefined) ?? [])
    const key = sizes.map(({ column }) => cells[column]).join('\t')
    const known = this.#placers.get(key)
    if (known) return known.place
    const { screen, picture } = toldMeasures(this.layout, this.#options, (heading) => this.#number(cells, heading))
    const made = { place: placerOf(places, this.#path, screen, picture), screen, picture }
    this.#placers.set(key, made)
    return made.place
  }

  /** The number in a cell, or what is wrong with it. */
  #number(cells: readonly string[], { column, name }: Heading): number | string {
    const text = cells[column]!
    const { decimal = '.' } = this.#options
    const plain = decimal === ',' && !text.includes('.') ? text.replace(',', '.') : text
    const value = plain === '' || (decimal === ',' && text.includes('.')) ? Number.NaN : Number(plain)
    if (Number.isFinite(value)) return value
    if (decimal === '.' && /^[+-]?\d*,\d+$/.test(text)) return `has a decimal comma in the column '${name}': say decimal: ','`
    return `has no number in the column '${name}'`
  }
}

/** What a row tells of the screen, with what was said of it; what was said counts first. */
function toldMeasures(
  { told }: Layout,
  options: TableOptions,
  read: (heading: Heading) => number | string,
): { screen: GazeScreen | undefined; picture: PictureSize | undefined } {
  const numbers = (columns: readonly Heading[] | undefined): readonly number[] | undefined => {
    const values = columns?.map(read)
    return values?.every((value): value is number => typeof value === 'number') ? values : undefined
  }
  const [size, area, picture] = [numbers(told?.screen), numbers(told?.area), numbers(told?.picture)]
  const [left, top, width, height] = area ?? []
  const video = options.screen?.video ?? (area && { left: left!, top: top!, width: width!, height: height! })
  const screen = options.screen ?? (size && { width: size[0]!, height: size[1]! })
  return {
    screen: screen && { ...screen, ...(video !== undefined && { video }) },
    picture: picture ? { width: picture[0]!, height: picture[1]! } : options.picture,
  }
}

function noRate(path: string): DiffSalError {
  const expected = `the video's frames a second, since '${path}' tells frames`
  return new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `'rate' must be ${expected}, but undefined came.`, {
    argument: 'rate',
    expected,
    received: 'undefined',
  })
}

function invalidStart(path: string, start: string): DiffSalError {
  const expected = `a time, since '${path}' is a table: only an EyeLink's .asc has messages`
  return new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `'start' must be ${expected}, but '${start}' came.`, { argument: 'start', expected, received: start })
}
