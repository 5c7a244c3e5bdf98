import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { DiffSalError, fileError, isMissing } from '../errors.ts'
import { parseJson } from '../files/json.ts'
import { readText } from '../files/regular-file.ts'
import { writeWhole } from '../files/write-whole.ts'
import type { TrainingEvent } from '../training/events.ts'

/**
 * A run's log: one event a line, in JSON. A line is with the operating system before the next step begins, so that a killed process
 * loses none; a checkpoint's is on the disk.
 */
export class RunLog {
  readonly #path: string
  readonly #file: number
  readonly #events: TrainingEvent[]
  readonly #known: Set<string>

  private constructor(path: string, file: number, events: TrainingEvent[]) {
    this.#path = path
    this.#file = file
    this.#events = events
    this.#known = new Set(events.map(keyOf))
  }

  /**
   * Opens a log to go on after `step` steps: what came after them is cut off, for it will come again, and that the training stopped there, for that may be
   * otherwise now.
   *
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE
   */
  static async open(path: string, step: number): Promise<RunLog> {
    const lines = await readLines(path)
    const kept = lines.filter((event) => stepOf(event) <= step && event.type !== 'stop')
    await writeWhole(path, kept.map((event) => `${JSON.stringify(event)}\n`).join(''))
    try {
      return new RunLog(path, openSync(path, 'a'), kept)
    } catch (cause) {
      throw fileError('write', path, cause)
    }
  }

  /** All events, in order. */
  get events(): readonly TrainingEvent[] {
    return this.#events
  }

  /**
   * Writes an event, unless it is there: a resumed training tells again how the epoch ended at whose end it goes on. Gives whether it
   * was new.
   *
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE; the log then ends with the event before
   */
  append(event: TrainingEvent): boolean {
    const key = keyOf(event)
    if (this.#known.has(key)) return false
    try {
      const { size } = fstatSync(this.#file)
      try {
        writeAll(this.#file, Buffer.from(`${JSON.stringify(event)}\n`))
        if (event.type === 'checkpoint') fdatasyncSync(this.#file)
      } catch (error) {
        try {
          ftruncateSync(this.#file, size)
        } catch {
          // The reason it could not be written is the one to tell.
        }
        throw error
      }
    } catch (cause) {
      throw fileError('write', this.#path, cause)
    }
    this.#known.add(key)
    this.#events.push(event)
    return true
  }

  close(): void {
    closeSync(this.#file)
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
}

function stepOf(event: TrainingEvent): number {
  return event.type === 'epoch' ? event.steps : event.step
}

function keyOf(event: TrainingEvent): string {
  return `${event.type} ${stepOf(event)}${event.type === 'checkpoint' ? ` ${event.best}` : ''}`
}

/** A log's events; a last line that was not written whole, when the machine stopped, is left out. */
async function readLines(path: string): Promise<TrainingEvent[]> {
  let text: string
  try {
    text = await readText(path, 2 ** 30 / 2)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
  // What is behind the last line's end is nothing, or a line that was not written whole.
  const lines = text.split('\n').slice(0, -1)
  const events: TrainingEvent[] = []
  for (const [i, line] of lines.entries()) {
    try {
      events.push(revived(parseJson(line) as TrainingEvent))
    } catch (cause) {
      const message = `'${path}' is no log of a run: its line ${i + 1} is not an event. Move it away, and the run goes on with a new one.`
      throw new DiffSalError('ERR_DIFFSAL_FILE', message, { argument: path, cause })
    }
  }
  return events
}

/** An undefined score is NaN, which JSON has as null. */
function revived(event: TrainingEvent): TrainingEvent {
  if (!['step', 'epoch', 'validation', 'checkpoint', 'stop'].includes(event.type) || !Number.isInteger(stepOf(event))) throw new TypeError('no event')
  if (event.type !== 'validation') return event
  const { scores } = event
  const numbers = <T extends Readonly<Record<string, number>>>(record: T): T =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, value ?? Number.NaN])) as T
  const videos = Object.fromEntries(Object.entries(scores.videos).map(([video, mean]) => [video, numbers(mean)]))
  return { ...event, scores: { ...scores, mean: numbers(scores.mean), videos } }
}
