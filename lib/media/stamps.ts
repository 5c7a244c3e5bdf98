import type { FfmpegProcess } from './ffmpeg-process.ts'

/** A frame or packet as ffmpeg's format `framecrc` tells of it. */
export interface Stamp {
  /** The output stream's number. */
  readonly stream: number
  /** Its time in ticks of the stream; NaN where it has none. */
  readonly ticks: number
  /** How long it lasts, in ticks; 0 where that is not known. */
  readonly duration: number
  /** Bytes. */
  readonly size: number
}

/** ffmpeg's options for an output that tells of each frame or packet at once, on a pipe of its own. */
export function stampOutput(pipe: number): string[] {
  return ['-f', 'framecrc', '-flush_packets', '1', `pipe:${pipe}`]
}

/** Reads one line; undefined for headers. */
export function readStamp(line: string): Stamp | undefined {
  const fields = line.split(',')
  if (line.startsWith('#') || fields.length < 6) return undefined
  const ticks = Number(fields[2])
  return {
    stream: Number(fields[0]),
    // ffmpeg's number for "none".
    ticks: ticks < -(2 ** 62) ? Number.NaN : ticks,
    duration: Number(fields[3]),
    size: Number(fields[4]),
  }
}

/** The stamps on a pipe, to be taken one by one. */
export class Stamps {
  readonly #there: Stamp[] = []
  readonly #child: FfmpegProcess
  #ended = false
  #wake = (): void => undefined

  constructor(child: FfmpegProcess, pipe: number) {
    this.#child = child
    child.lines(pipe, (line) => {
      const stamp = readStamp(line)
      if (stamp === undefined) return
      this.#there.push(stamp)
      this.#wake()
    })
    const end = (): void => {
      this.#ended = true
      this.#wake()
    }
    child.ended.then(end, end)
  }

  /** The next one; undefined when there is none more. */
  async next(): Promise<Stamp | undefined> {
    while (this.#there.length === 0 && !this.#ended) {
      await this.#child.wait(new Promise<void>((resolve) => (this.#wake = resolve)))
    }
    return this.#there.shift()
  }
}
