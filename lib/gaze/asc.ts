import { AscTrial, type AscSample } from './asc-trial.ts'
import type { LeftOut } from './left-out.ts'
import type { Looks } from './looks.ts'
import { notGaze } from './not-gaze.ts'
import { placerOf } from './places.ts'
import type { GazeScreen } from './screen.ts'
import { withText } from './text.ts'
import type { TrackerOptions } from './tracker-options.ts'
import { stemOf } from './video-name.ts'

// The lines are those of "The ASC File Format" in SR Research's user manuals of EyeLink II, 1000, 1000 Plus and Portable Duo.

/** Lines that say nothing of where the eye was. */
const passed = new Set(['END', 'PRESCALER', 'VPRESCALER', 'PUPIL', 'EVENTS', 'INPUT', 'BUTTON', 'SFIX', 'SSACC', 'ESACC', 'SBLINK', 'EBLINK'])

/** What a `.asc` gave. */
export interface AscRead {
  /** Whether its looks are fixations that it tells. */
  readonly given: boolean
  /** The screen, as was said, else as the file tells it. */
  readonly screen: GazeScreen | undefined
}

/**
 * Reads what `edf2asc` makes of an EyeLink's recording: samples, fixations (EFIX) and messages. One trial counts: the only one, or the one with a
 * message that names the video.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_INVALID_ARGUMENT, saying which option tells what the file does not
 */
export async function readAsc(path: string, options: TrackerOptions, looks: Looks, leftOut: LeftOut): Promise<AscRead> {
  const file = new AscFile(path, leftOut)
  await withText(path, options.encoding, async (pieces) => {
    let rest = ''
    let number = 0
    for await (const piece of pieces) {
      const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/)
      rest = lines.pop()!
      for (const line of lines) file.line(line, (number += 1))
    }
    file.line(rest.replace(/\r$/, ''), number + 1)
  })
  const trial = chosenTrial(path, file.trials, options.video)
  const { fixations: wanted } = options
  const given = (wanted === undefined || wanted === 'given') && trial.fixations.length > 0
  const screen = options.screen ?? file.screen
  const place = placerOf('pixels', path, screen, options.picture)
  const zero = trial.startOf(path, options.start)
  const viewer = options.viewer ?? stemOf(path.replace(/\.gz$/i, ''))
  for (const { x, y, time, duration, line } of given ? trial.fixationsOf(path, options.eye) : trial.samplesOf(options.eye)) {
    const at = x === undefined || y === undefined ? undefined : place(x, y)
    looks.add({ viewer, time: time - zero, ...(duration !== undefined && { duration }), place: at }, `Row ${line}`, () => `${time}, ${x ?? '.'}, ${y ?? '.'}`)
  }
  return { given, screen }
}

/** The lines of a file, put into trials. */
class AscFile {
  readonly trials: AscTrial[] = [new AscTrial()]
  screen: GazeScreen | undefined
  readonly #path: string
  readonly #leftOut: LeftOut
  /** Which eyes its samples have. */
  #eyes: readonly ('left' | 'right')[] | undefined

  constructor(path: string, leftOut: LeftOut) {
    this.#path = path
    this.#leftOut = leftOut
  }

  line(text: string, line: number): void {
    const words = text.trim().split(/\s+/)
    const [kind = ''] = words
    if (kind === '' || /^(\*\*|[#/;])/.test(kind)) return
    if (/^\d/.test(kind)) return this.#sample(words, line, text)
    if (kind === 'MSG') return this.#message(text, line)
    if (kind === 'SAMPLES') return this.#samples(words)
    if (kind === 'EFIX') return this.#fixation(words, line, text)
    if (kind === 'START') this.#eyes = undefined
    else if (!passed.has(kind)) this.#leftOut.add("is no line of an EyeLink's", `Row ${line}`, () => text)
  }

  get #trial(): AscTrial {
    return this.trials.at(-1)!
  }

  #message(text: string, line: number): void {
    const [, time, , offset, message] = /^MSG\s+(\d+(\.\d+)?)\s+(?:(-?\d+)\s+)?(.*)$/.exec(text) ?? []
    if (time === undefined) return this.#leftOut.add('is a message without a time', `Row ${line}`, () => text)
    if (/^TRIALID\b/.test(message!)) this.trials.push(new AscTrial())
    // What stands before a message's text is by how much it was sent too late.
    this.#trial.messages.push({ time: Number(time) - Number(offset ?? 0), text: message! })
    const coordinates = /^(?:GAZE_COORDS|DISPLAY_COORDS)\s*=?\s*(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)/.exec(message!)
    if (coordinates) {
      const [left, top, right, bottom] = coordinates.slice(1).map(Number) as [number, number, number, number]
      this.screen = { width: right - left + 1, height: bottom - top + 1 }
    }
  }

  #samples(words: readonly string[]): void {
    if (!words.includes('GAZE')) throw notGaze(this.#path, `its samples are ${words[1] ?? 'nothing'}, not GAZE: convert it with 'edf2asc -sg'`)
    this.#eyes = (['left', 'right'] as const).filter((eye) => words.includes(eye.toUpperCase()))
  }

  #sample(words: readonly string[], line: number, text: string): void {
    const eyes = this.#eyes
    if (eyes === undefined || eyes.length === 0)
      throw notGaze(this.#path, `row ${line} is a sample before any SAMPLES line, which tells whose eyes they are: convert it with events`)
    const time = Number(words[0])
    const places = eyes.map((_, i) => [words[1 + 3 * i], words[2 + 3 * i]].map((word) => (word === '.' ? undefined : Number(word ?? Number.NaN))))
    const wrong = places.flat().some((value) => value !== undefined && !Number.isFinite(value))
    if (wrong || !Number.isFinite(time)) return this.#leftOut.add('has no number as a time or place', `Row ${line}`, () => text)
    const sample: AscSample = { time, line, places: Object.fromEntries(eyes.map((eye, i) => [eye, { x: places[i]![0], y: places[i]![1] }])) }
    this.#trial.samples.push(sample)
  }

  #fixation(words: readonly string[], line: number, text: string): void {
    const [, eye] = words
    const [time, , duration, x, y] = words.slice(2).map(Number)
    if ((eye !== 'L' && eye !== 'R') || ![time, duration, x, y].every(Number.isFinite))
      return this.#leftOut.add('is no fixation with numbers', `Row ${line}`, () => text)
    this.#trial.fixations.push({ eye: eye === 'L' ? 'left' : 'right', time: time!, duration: duration!, x: x!, y: y!, line })
  }
}

function chosenTrial(path: string, all: readonly AscTrial[], video: string | undefined): AscTrial {
  const trials = all.filter(({ samples, fixations }) => samples.length + fixations.length > 0)
  if (trials.length === 0) throw notGaze(path, 'it has no samples and no fixations')
  const named = video === undefined ? [] : trials.filter((trial) => trial.names(video))
  if (named.length === 1) return named[0]!
  if (named.length > 1) throw notGaze(path, `${named.length} of its trials have a message that names '${video}': part the file`)
  if (trials.length === 1) return trials[0]!
  throw notGaze(
    path,
    `none of its ${trials.length} trials has a message that names ${video === undefined ? 'a video that was asked for' : `'${video}'`}: say video: 'NAME', a part of one of the trial's messages`,
  )
}
