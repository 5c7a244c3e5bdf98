import { rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { abortable } from '../addon/cancel.ts'
import { native, type NativeScene, type NativeSceneOptions } from '../addon/native.ts'
import { checkString } from '../checks/options.ts'
import { callback, integer, number, readOptions, signal, text, type OptionTable } from '../checks/table.ts'
import { fileError, invalidArgumentText } from '../errors.ts'
import { OutputPlace, temporaryIn, writeSynced } from '../files/output-place.ts'
import type { MediaInfo } from '../media/media-info.ts'
import { checkVideoPath, rawPictures, VideoFile } from '../media/video-file.ts'
import { mostScenes, sceneStyle, sceneTable, shapeKinds, type SceneOptions, type ShapeKind } from './options.ts'
import { WavWriter } from './wav-file.ts'

/** What {@link renderScene} renders. */
export interface RenderSceneOptions extends SceneOptions {
  /** The scene's number. Default 0. */
  index?: number | undefined
  /** How long, from 0.2 s to an hour. Another shape sounds every one to two seconds. Default 8. */
  seconds?: number | undefined
  /** Where a {@link SceneTrack} goes as JSON. Default: nowhere. */
  track?: string | undefined
  /** Stops it; nothing is left behind. */
  signal?: AbortSignal | undefined
  /** Called after each part with the frames that are done, and of how many. */
  onProgress?: ((done: number, frames: number) => void) | undefined
}

const renderTable = {
  ...sceneTable,
  index: integer(0, mostScenes - 1, { usual: 0 }),
  seconds: number(0.2, 3600, { usual: 8 }),
  track: text(),
  signal,
  onProgress: callback<(done: number, frames: number) => void>(),
} satisfies OptionTable<RenderSceneOptions>

/** Where everything is in a rendered scene. */
export interface SceneTrack {
  /** Frames a second. */
  readonly fps: number
  /** [height, width] in pixels. */
  readonly size: readonly [number, number]
  /** The true map's standard deviation in pixels. */
  readonly sigma: number
  /** From the back to the front. */
  readonly shapes: readonly TrackedShape[]
  /** One a frame. */
  readonly frames: readonly TrackedFrame[]
}

/** A shape of a rendered scene. */
export interface TrackedShape {
  /** Its outline. */
  readonly kind: ShapeKind
  /** 0 to `hues` - 1. Its pitch is `pitchOf(hue, hues)`. */
  readonly hue: number
}

/** A frame of a rendered scene. */
export interface TrackedFrame {
  /** Which of the shapes sounds. */
  readonly sounding: number
  /** The centres [x, y] of all shapes in pixels from the upper left corner. */
  readonly centres: readonly (readonly [number, number])[]
}

/** What {@link renderScene} wrote. */
export interface RenderedScene {
  /** How many frames. */
  readonly frames: number
  /** How long they last. */
  readonly seconds: number
}

/** Frames that are in memory at a time: about 8 MB of them at most, one at least. */
const chunkBytes = 8_000_000
const sampleRate = 16_000

/**
 * Renders a sounding scene of any length (`soundingScenes` tells what that is) as a video with sound. It is none of those that the
 * splits are made of, so no model has seen it. However long, memory holds a few frames of it.
 *
 * @param path Where it goes: .mp4, .mov or .mkv. The size must be even.
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE, ERR_DIFFSAL_FFMPEG_MISSING; then nothing is
 * left behind. The signal's reason where it was aborted.
 */
export async function renderScene(path: string, options?: RenderSceneOptions): Promise<RenderedScene> {
  checkVideoPath('path', checkString('path', path))
  const read = readOptions<RenderSceneOptions, typeof renderTable>('options', options, renderTable)
  const { index, seconds, track, signal: stop, onProgress } = read
  const style = sceneStyle(read)
  const { height, width, rate } = style
  if (height % 2 !== 0 || width % 2 !== 0) throw invalidArgumentText('size', 'even in both directions', `${height} × ${width}`)
  const frames = Math.round(seconds * rate)
  stop?.throwIfAborted()
  const scene: NativeSceneOptions = { ...style, domain: 2, index, changes: 0, frames }

  const sound = temporaryIn(dirname(resolve(path)))
  const audio = { index: 0, track: 1, codec: 'pcm_s16le', sampleRate, layout: 'mono', channels: 1 }
  const heard: MediaInfo = { path: sound, format: 'wav', video: null, audio, audioTracks: 1 }
  const file = await VideoFile.create(path, heard, rawPictures('rgb24', [height, width], String(rate)), { signal: stop })
  let place: OutputPlace | undefined
  try {
    if (track !== undefined) place = await OutputPlace.beside(track)
    const parts = await writeParts(scene, file, { path: sound, target: path }, stop, onProgress)
    await file.finish()
    if (place !== undefined) {
      await writeSynced(place.temporary, Buffer.from(`${JSON.stringify(trackOf(scene, parts))}\n`)).catch((cause: unknown) => {
        throw fileError('write', track!, cause)
      })
    }
    await file.commit()
    await place?.commit().catch(async (error: unknown) => {
      await file.revert()
      throw error
    })
  } catch (error) {
    stop?.throwIfAborted()
    throw error
  } finally {
    await rm(sound, { force: true })
    await file.discard()
    await place?.discard()
  }
  return { frames, seconds: frames / rate }
}

/** Writes pictures and sound, chunk after chunk; gives the chunks without them. */
async function writeParts(
  scene: NativeSceneOptions,
  file: VideoFile,
  sound: { path: string; target: string },
  signal: AbortSignal | undefined,
  onProgress: RenderSceneOptions['onProgress'],
): Promise<NativeScene[]> {
  const { frames, height, width, rate } = scene
  const parts: NativeScene[] = []
  const size = height * width * 3
  const chunk = Math.max(1, Math.min(frames, Math.floor(chunkBytes / size)))
  // The sound of frame k is half a frame either side of it; the file's begins with frame 0.
  const early = Math.floor(sampleRate / (2 * rate) + 0.5)
  let left = Math.round((frames * sampleRate) / rate)
  const wav = await WavWriter.create(sound.path, left, sampleRate, sound.target)
  try {
    for (let from = 0; from < frames; from += chunk) {
      const to = Math.min(from + chunk, frames)
      const wanted = { from, to, frames: true, sound: true, truth: -1 }
      const { frames: pictures, samples, ...rest } = await abortable(signal, (cancel) => native().scene(scene, wanted, cancel))
      for (let k = 0; k < to - from; k++) await file.write(pictures!.data.subarray(k * size, (k + 1) * size))
      const part = from === 0 ? samples!.data.subarray(early) : samples!.data
      await wav.write(part)
      left -= part.length
      parts.push(rest)
      onProgress?.(to, frames)
    }
    // The last half frame belongs to a frame that is not there.
    await wav.write(new Float32Array(left))
  } finally {
    await wav.close()
  }
  return parts
}

function trackOf({ rate, height, width }: NativeSceneOptions, parts: readonly NativeScene[]): SceneTrack {
  const { kinds, hues } = parts[0]!
  const frames = parts.flatMap(({ sounding, track: { data } }) =>
    sounding.map((shape, k) => ({
      sounding: shape,
      centres: kinds.map((_, i): [number, number] => {
        const at = (k * kinds.length + i) * 3
        return [round(data[at]!), round(data[at + 1]!)]
      }),
    })),
  )
  const shapes = kinds.map((kind, i) => ({ kind: shapeKinds[kind]!, hue: hues[i]! }))
  return { fps: rate, size: [height, width], sigma: height / 10, shapes, frames }
}

/** To hundredths of a pixel. */
const round = (value: number): number => Math.round(value * 100) / 100
