import { rm } from 'node:fs/promises'
import { extname } from 'node:path'
import { DiffSalError, fileError, invalidArgument } from '../errors.ts'
import { log } from '../log.ts'
import { FfmpegProcess, fileUrl, lastWords, readFfmpeg, runFfmpeg, type FfmpegEnd } from './ffmpeg-process.ts'
import { OutputPlace } from './output-file.ts'
import type { MediaInfo } from './probe.ts'

/** The containers that can be written, and the sound that each takes as it is. */
const containers: Readonly<Record<string, { readonly format: string; readonly copies: RegExp }>> = {
  '.mp4': { format: 'mp4', copies: /^(aac|mp3|ac3|eac3|alac)$/ },
  '.mov': { format: 'mov', copies: /^(aac|mp3|ac3|alac|pcm_s16le|pcm_s16be|pcm_s24le|pcm_s24be)$/ },
  '.mkv': { format: 'matroska', copies: /^(aac|mp2|mp3|ac3|eac3|alac|flac|opus|vorbis|dts|pcm_s16le|pcm_s24le|pcm_s32le|pcm_f32le)$/ },
}

/** H.264 if this ffmpeg can, and what to use where it cannot. Quality over size; speed over both. */
const encoders: Readonly<Record<string, readonly string[]>> = {
  libx264: ['-preset', 'veryfast', '-crf', '18'],
  libopenh264: ['-b:v', '8M'],
  mpeg4: ['-q:v', '3'],
}

/** Refuses a video path of an extension that cannot be written. */
export function checkVideoPath(argument: string, path: string): void {
  if (containerOf(path) === undefined) {
    throw invalidArgument(argument, `a file that ends in ${Object.keys(containers).join(', ')}`, path)
  }
}

function containerOf(path: string): (typeof containers)[string] | undefined {
  return containers[extname(path).toLowerCase()]
}

/** The even size at or below a video's: what H.264 with halved colour takes. */
export function evenSize(width: number, height: number): [number, number] {
  return [Math.max(2, width - (width % 2)), Math.max(2, height - (height % 2))]
}

/**
 * A video file that ffmpeg encodes from raw pictures on its standard input, with the sound of another file.
 *
 * The pictures come as slowly as they are predicted, so they are encoded without sound first and the sound is joined at the end,
 * which copies. (Reading both at once, ffmpeg would run ahead through all of the sound and hold it in memory.)
 */
export class VideoFile {
  readonly #place: OutputPlace
  readonly #silent: string
  readonly #info: MediaInfo
  readonly #encoder: FfmpegProcess
  readonly #signal: AbortSignal | undefined

  private constructor(place: OutputPlace, silent: string, info: MediaInfo, encoder: FfmpegProcess, signal: AbortSignal | undefined) {
    this.#place = place
    this.#silent = silent
    this.#info = info
    this.#encoder = encoder
    this.#signal = signal
  }

  /**
   * @param path Where the video goes: .mp4, .mov or .mkv.
   * @param info The file whose sound is joined.
   * @param pictures ffmpeg's arguments from the inputs to the mapped video stream; the pictures are at `pipe:0`.
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for another extension, ERR_DIFFSAL_FILE, ERR_DIFFSAL_FFMPEG_MISSING.
   */
  static async create(path: string, info: MediaInfo, pictures: readonly string[], signal?: AbortSignal): Promise<VideoFile> {
    checkVideoPath('output', path)
    const codec = await findEncoder()
    const place = await OutputPlace.beside(path)
    try {
      const silent = `${place.temporary}.video`
      const encoder = await FfmpegProcess.start(
        ['-y', '-loglevel', 'error', ...pictures, '-c:v', codec, ...encoders[codec]!, '-pix_fmt', 'yuv420p', '-f', 'mp4', fileUrl(silent)],
        { signal, input: true },
      )
      return new VideoFile(place, silent, info, encoder, signal)
    } catch (cause) {
      await place.discard()
      throw cause
    }
  }

  /** Takes one picture. Resolves when the encoder has it. */
  async write(picture: Uint8Array): Promise<void> {
    if (await this.#encoder.write(picture)) return
    const end = await this.#encoder.ended
    this.#signal?.throwIfAborted()
    throw this.#failure(end)
  }

  /** Ends the video and joins the sound. */
  async finish(): Promise<void> {
    const end = await this.#encoder.finish()
    this.#signal?.throwIfAborted()
    if (failed(end)) throw this.#failure(end)
    await this.#join()
    await rm(this.#silent, { force: true })
    await this.#place.sync()
  }

  /** Puts the finished file in its place. */
  commit(): Promise<void> {
    return this.#place.commit({ keep: true })
  }

  /** Takes it away again; what was there before comes back. */
  revert(): Promise<void> {
    return this.#place.revert()
  }

  /** Ends the encoder and removes what it wrote. */
  async discard(): Promise<void> {
    await this.#encoder.kill()
    await rm(this.#silent, { force: true })
    await this.#place.discard()
  }

  /** The sound as it is if the container takes it, else as AAC; and a video without it rather than none, if ffmpeg cannot read it. */
  async #join(): Promise<void> {
    const { format, copies } = containerOf(this.#place.target)!
    const { audio, video } = this.#info
    const attempts: string[][] = []
    if (audio) {
      const sound = ['-i', fileUrl(this.#info.path), '-map', '0:v', '-map', `1:${audio.index}`]
      if (copies.test(audio.codec)) attempts.push([...sound, '-c:a', 'copy'])
      attempts.push([...sound, '-c:a', 'aac', '-b:a', '192k'])
    }
    attempts.push(['-map', '0:v'])
    // On the original's clock, where its sound may have begun before its first frame.
    const offset = audio && video && video.start !== 0 ? ['-itsoffset', video.start.toFixed(6)] : []
    for (const [at, attempt] of attempts.entries()) {
      const end = await runFfmpeg(
        [
          ...['-y', '-loglevel', 'error', ...offset, '-i', fileUrl(this.#silent), ...attempt, '-c:v', 'copy'],
          ...(format === 'matroska' ? [] : ['-movflags', '+faststart']),
          ...['-map_metadata', '-1', '-f', format, fileUrl(this.#place.temporary)],
        ],
        { signal: this.#signal },
      )
      if (!failed(end)) {
        const soundless = audio && at === attempts.length - 1
        if (soundless) log('warn', `The sound of '${this.#info.path}' could not be put into '${this.#place.target}'.`)
        return
      }
      if (full(end) || at === attempts.length - 1) throw this.#failure(end)
    }
  }

  #failure(end: FfmpegEnd): DiffSalError {
    const { target } = this.#place
    if (full(end)) return fileError('write', target, Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }))
    return new DiffSalError('ERR_DIFFSAL_FILE', `Cannot write '${target}': ffmpeg says "${lastWords(end)}".`, { argument: target })
  }
}

/** ffmpeg may end well though its last bytes did not fit. */
function failed(end: FfmpegEnd): boolean {
  return end.code !== 0 || full(end)
}

function full({ log: text }: FfmpegEnd): boolean {
  return /No space left on device|Disk quota exceeded/i.test(text)
}

async function findEncoder(): Promise<string> {
  let list = ''
  for await (const chunk of readFfmpeg(['-loglevel', 'error', '-encoders'])) list += chunk.toString()
  const codec = Object.keys(encoders).find((name) => list.includes(` ${name} `))
  if (codec !== undefined) return codec
  throw new DiffSalError(
    'ERR_DIFFSAL_FFMPEG_MISSING',
    `This ffmpeg cannot encode video: it has none of ${Object.keys(encoders).join(', ')}. ` +
      'Install a fuller build, or write maps as PNG or .npy.',
  )
}
