import { open, type FileHandle } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileError } from '../errors.ts'
import { makeFolders } from '../files/output-place.ts'
import { eventRecord, type EventContent } from './event-record.ts'
import type { TrainingEvent } from './events.ts'

/** A file of events that TensorBoard shows. An event is with the operating system before the training goes on, so that a killed process loses none. */
export class TensorBoard implements AsyncDisposable {
  readonly #path: string
  readonly #file: FileHandle
  #size = 0

  private constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  /**
   * Begins a file of its own in a folder. What earlier files there tell of steps after these was undone, by a resume from a checkpoint: TensorBoard
   * then leaves it out.
   *
   * @param steps - those that are done
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE
   */
  static async open(folder: string, steps: number): Promise<TensorBoard> {
    await makeFolders(resolve(folder))
    const board = await TensorBoard.#create(folder, Date.now())
    try {
      await board.#append(0, { version: 'brain.Event:2' })
      if (steps > 0) await board.#append(steps + 1, { begins: true })
    } catch (error) {
      await board[Symbol.asyncDispose]()
      throw error
    }
    return board
  }

  /** TensorBoard reads a folder's files in the order of their names, which begin with the time. */
  static async #create(folder: string, time: number): Promise<TensorBoard> {
    const path = join(folder, `events.out.tfevents.${time}.diffsal`)
    try {
      return new TensorBoard(path, await open(path, 'wx'))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return TensorBoard.#create(folder, time + 1)
      throw fileError('write', path, cause)
    }
  }

  /** Writes what there is of an event to draw. */
  async write(event: TrainingEvent): Promise<void> {
    const scalars = scalarsOf(event).filter(([, value]) => !Number.isNaN(value))
    if (scalars.length > 0) await this.#append(event.type === 'epoch' ? event.steps : event.step, { scalars })
  }

  async #append(step: number, content: EventContent): Promise<void> {
    const record = eventRecord(Date.now() / 1000, step, content)
    try {
      await this.#file.appendFile(record)
      this.#size += record.length
    } catch (cause) {
      // A part of a record would be waited for; the reason is what there is to tell.
      await this.#file.truncate(this.#size).catch(() => undefined)
      throw fileError('write', this.#path, cause)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }
}

/** The curves' points, by their names. */
function scalarsOf(event: TrainingEvent): (readonly [tag: string, value: number])[] {
  if (event.type === 'step') {
    const { loss, gradNorm, lr, rate } = event
    return Object.entries({ loss, gradient_norm: gradNorm, learning_rate: lr, samples_per_second: rate }).map(([name, value]) => [`train/${name}`, value])
  }
  if (event.type === 'epoch') return [['epoch/loss', event.loss]]
  if (event.type === 'validation') return Object.entries(event.scores.mean).map(([name, value]) => [`validation/${name}`, value])
  return []
}
