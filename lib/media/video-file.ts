import { rm } from 'node:fs/promises'
import { extname } from 'node:path'
import { DiffSalError, fileError, invalidArgument } from '../errors.ts'
import { OutputPlace } from '../files/output-place.ts'
import { log } from '../log.ts'
import { FfmpegProcess, fileUrl, lastWords, readFfmpeg, runFfmpeg, type FfmpegEnd } from './ffmpeg-process.ts'
import { findFfmpeg, isOld, passthrough } from './ffmpeg.ts'
import type { AudioStream, MediaInfo } from './media-info.ts'
import { openedInput, openedWith, type ReadOptions, type Span } from './opened.ts'
import { trimFilter } from './picture-filters.ts'
import { rationalText, type Rational } from './rational.ts'

/** How a video is encoded. */
export interface VideoFileOptions extends ReadOptions {
  /** Seconds of a tick: pictures keep the times that they come with, in such. Default: they come at a constant rate. */
  readonly timeBase?: Rational | undefined
  /** Default yuv420p. */
  readonly pixelFormat?: string | undefined
  /** ffmpeg's output options that tell of the colours. */
  readonly tags?: readonly string[] | undefined
  /** ffmpeg's options for an output beside it. */
  readonly beside?: readonly string[] | undefined
  /** The part of the other file whose sound is joined. Default: all. */
  readonly span?: Span | undefined
}

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

/** Input options for raw pictures of a constant rate at standard input. */
export function rawPictures(pixelFormat: string, [height, width]: readonly [number, number], rate: string): string[] {
  return ['-f', 'rawvideo', '-pixel_format', pixelFormat, '-video_size', `${width}x${height}`, '-framerate', rate, '-i', 'pipe:0']
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
  readonly #options: ReadOptions
  readonly #span: Span | undefined

  private constructor(place: OutputPlace, silent: string, info: MediaInfo, encoder: FfmpegProcess, options: ReadOptions, span: Span | undefined) {
    this.#place = place
    this.#silent = silent
    this.#info = info
    this.#encoder = encoder
    this.#options = options
    this.#span = span
  }

  /**
   * @param path Where the video goes: .mp4, .mov or .mkv.
   * @param info The file whose sound is joined.
   * @param pictures ffmpeg's arguments from the inputs to the mapped video stream; the pictures are at `pipe:0`.
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for another extension, ERR_DIFFSAL_FILE, ERR_DIFFSAL_FFMPEG_MISSING.
   */
  static async create(path: string, info: MediaInfo, pictures: readonly string[], options: VideoFileOptions = {}): Promise<VideoFile> {
    checkVideoPath('output', path)
    const { signal, stallLimit, timeBase, pixelFormat = 'yuv420p', tags = [], beside = [], span } = options
    const codec = await findEncoder()
    const times = timeBase ? [...passthrough(await findFfmpeg()), '-enc_time_base', rationalText(timeBase), ...(await frameOrder())] : []
    const place = await OutputPlace.beside(path)
    try {
      const silent = `${place.temporary}.video`
      const encoding = ['-c:v', codec, ...encoders[codec]!, ...times, '-pix_fmt', pixelFormat, ...tags]
      const encoder = await FfmpegProcess.start(
        ['-y', '-loglevel', 'error', ...pictures, ...encoding, '-f', await silentFormat(), fileUrl(silent), ...beside],
        { signal, stallLimit, input: true, grows: silent },
      )
      return new VideoFile(place, silent, info, encoder, { signal, stallLimit }, span)
    } catch (cause) {
      await place.discard()
      throw cause
    }
  }

  /** Takes one picture. Resolves when the encoder has it. */
  async write(picture: Uint8Array): Promise<void> {
    if (await this.#encoder.write(picture)) return
    const end = await this.#encoder.end()
    this.#options.signal?.throwIfAborted()
    throw this.#failure(end)
  }

  /**
   * Ends the video and joins the sound.
   *
   * @param start seconds from the plan's time 0 to the first picture
   */
  async finish(start = 0): Promise<void> {
    const end = await this.#encoder.finish()
    this.#options.signal?.throwIfAborted()
    if (failed(end)) throw this.#failure(end)
    await this.#join(start)
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

  /** The sound as it is if the container takes it, else, or where a part is cut of it, as AAC; and a video without it rather than none, if ffmpeg cannot read it. */
  async #join(start: number): Promise<void> {
    const { format, copies } = containerOf(this.#place.target)!
    const { audio } = this.#info
    // Where the written part begins on the original's clock.
    const cutAt = Math.max(0, this.#span?.start ?? 0)
    const attempts: string[][] = []
    if (audio) {
      const sound = [...openedInput(this.#info), '-map', '0:v', '-map', `1:${audio.index}`]
      if (!this.#span && copies.test(audio.codec) && !changing(this.#info, audio)) attempts.push([...sound, '-c:a', 'copy'])
      const cut = this.#span ? [trimFilter('atrim', this.#span), `asetpts=PTS-${cutAt.toFixed(6)}/TB`] : []
      // The second time without what is no number: the encoder takes none.
      for (const filters of [cut, [...cut, 'aeval=if(lt(abs(val(ch))\\,65536)\\,val(ch)\\,0):c=same']]) {
        attempts.push([...sound, ...(filters.length > 0 ? ['-af', filters.join(',')] : []), '-c:a', 'aac', '-b:a', '192k'])
      }
    }
    attempts.push(['-map', '0:v'])
    // On the original's clock, where its sound may have begun before its first frame. A frame a rounding before the beginning must not be cut off.
    const offset = audio && start > cutAt ? ['-itsoffset', (start - cutAt).toFixed(6)] : []
    for (const [at, attempt] of attempts.entries()) {
      const end = await runFfmpeg(
        [
          ...['-y', '-loglevel', 'error', ...offset, '-i', fileUrl(this.#silent), ...attempt, '-c:v', 'copy'],
          ...(format === 'matroska' ? [] : ['-movflags', '+faststart']),
          ...['-map_metadata', '-1', '-map_chapters', '-1', '-f', format, fileUrl(this.#place.temporary)],
          ...(attempt.includes('-i') ? openedWith(this.#info, 'video', 1) : []),
        ],
        { ...this.#options, grows: this.#place.temporary },
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
    const words = lastWords(end).replaceAll(this.#silent, target).replaceAll(this.#place.temporary, target)
    return new DiffSalError('ERR_DIFFSAL_FILE', `Cannot write '${target}': ffmpeg says "${words}".`, { argument: target })
  }
}

/** AAC whose packets each tell their channels and rate, which may change: the containers that we write tell them once. */
function changing({ format }: MediaInfo, { codec }: AudioStream): boolean {
  return codec === 'aac' && /^(mpegts|mpeg|aac)$/.test(format)
}

/** ffmpeg may end well though its last bytes did not fit. */
function failed(end: FfmpegEnd): boolean {
  return end.code !== 0 || full(end)
}

function full({ log: text }: FfmpegEnd): boolean {
  return /No space left on device|Disk quota exceeded/i.test(text)
}

/**
 * Old versions cut the last frames of an MP4 whose frames come at uneven times and in another order than they are shown in: there they are
 * encoded in the order that they are shown in.
 */
async function frameOrder(): Promise<string[]> {
  return isOld(await findFfmpeg()) ? ['-bf', '0'] : []
}

/** Where the pictures wait for the sound. Old versions give the last picture of an MP4 no time, and then leave it out when they read it. */
async function silentFormat(): Promise<string> {
  return isOld(await findFfmpeg()) ? 'nut' : 'mp4'
}

/** Refuses an ffmpeg that cannot encode video, before there is any to encode. @throws DiffSalError ERR_DIFFSAL_FFMPEG_MISSING */
export async function checkEncoder(): Promise<void> {
  await findEncoder()
}

/** The first encoder that this ffmpeg has. What it was built with tells it; a build that leaves out single encoders is asked for its list. */
async function findEncoder(): Promise<string> {
  const { configuration } = await findFfmpeg()
  if (configuration.includes('--enable-libx264') && !/--disable-(encoder|everything)/.test(configuration)) return 'libx264'
  let list = ''
  for await (const chunk of readFfmpeg(['-loglevel', 'error', '-encoders'])) list += chunk.toString()
  const codec = Object.keys(encoders).find((name) => list.includes(` ${name} `))
  if (codec !== undefined) return codec
  throw new DiffSalError(
    'ERR_DIFFSAL_FFMPEG_MISSING',
    `This ffmpeg cannot encode video: it has none of ${Object.keys(encoders).join(', ')}. Install a fuller build, or write maps as PNG or .npy.`,
  )
}
