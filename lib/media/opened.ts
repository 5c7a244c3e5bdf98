import { inputFile, type FfmpegOptions } from './ffmpeg-process.ts'
import type { MediaInfo } from './media-info.ts'

/** What every reader of a plan may be told. */
export interface ReadOptions extends Pick<FfmpegOptions, 'stallLimit'> {
  readonly signal?: AbortSignal | undefined
}

/** A part of a file, in seconds on its clock. */
export interface Span {
  /** -Infinity for the file's start. */
  readonly start: number
  /** The first moment that is outside; Infinity for the file's end. */
  readonly end: number
}

/** ffmpeg's options that open the file of a plan as its input. */
export function openedInput({ path, spooled = path, far }: MediaInfo): string[] {
  return inputFile(spooled, far)
}

/**
 * ffmpeg's options for an output that keeps a stream of the plan open, and throws its packets away. ffmpeg puts time 0 where the first of the
 * streams begins that are taken, and takes jumps out of their common clock: so a process that reads one of them must take the other one too.
 */
export function openedWith(info: MediaInfo, kind: 'video' | 'audio', input = 0): string[] {
  const stream = info[kind]
  return stream === null ? [] : ['-map', `${input}:${stream.index}`, '-c', 'copy', '-copyinkf', '-f', 'null', '-']
}
