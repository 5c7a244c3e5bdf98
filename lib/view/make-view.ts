import { open, stat } from 'node:fs/promises'
import { basename, dirname, relative, resolve } from 'node:path'
import { fileError, invalidArgument } from '../errors.ts'
import { withoutLinks, type OutputPlace } from '../files/output-place.ts'
import { log } from '../log.ts'
import type { MapTensor } from '../metrics/metrics.ts'
import { mediaError } from '../media/local-file.ts'
import type { MediaInfo, VideoInfo } from '../media/media-info.ts'
import type { ReadOptions } from '../media/opened.ts'
import { rationalValue } from '../media/rational.ts'
import { fileAsBase64, mimeOf, unplayable, type FilmSource } from './film.ts'
import { lookThrough, waveOf, type ViewShot } from './look-through.ts'
import { MapShelf } from './map-shelf.ts'
import type { ViewContent } from './view-html.ts'

/** The most bytes of a video that a page holds itself. */
export const mostFilmBytes = 32 * 2 ** 20

/** Refuses a name that is no page's. */
export function checkPagePath(argument: string, path: string): string {
  if (!/\.html?$/i.test(path)) throw invalidArgument(argument, 'a file that ends in .html', path)
  return path
}

/** The plan of a file that has a video, which a page shows. */
export function videoOf(info: MediaInfo): VideoInfo {
  const { video } = info
  if (video === null) throw mediaError(info.path, 'has no video stream, which the page shows')
  const shown = { ...info, video }
  const why = unplayable(shown)
  if (why !== undefined)
    log('warn', `'${info.path}' will hardly be seen in the page: ${why}. Make one that is played: \`ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p OUT.mp4\`.`)
  return shown
}

/**
 * Where a page has the video from.
 *
 * @throws DiffSalError ERR_DIFFSAL_MEDIA for one that is too long to be in the page, or has no file to be beside
 */
export async function filmFor(output: string, info: VideoInfo, beside: boolean): Promise<FilmSource> {
  if (!beside) {
    const { size } = await stat(fileOf(info)).catch((cause: unknown) => Promise.reject(fileError('read', info.path, cause)))
    if (size <= mostFilmBytes) return { inside: mimeOf(info) }
    const [has, most] = [size, mostFilmBytes].map((bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`)
    throw mediaError(
      info.path,
      `has ${has}, and a page holds a video of ${most}: leave it beside the page (--beside, beside: true), look at it by --serve, or make it smaller`,
    )
  }
  if (info.spooled !== undefined) throw mediaError(info.path, 'is no file that could lie beside the page: save it to one first')
  const way = relative(dirname(withoutLinks(output)), resolve(info.path))
  return { address: `./${way.split('/').map(encodeURIComponent).join('/')}` }
}

/** The file that is read. */
export function fileOf({ path, spooled = path }: MediaInfo): string {
  return spooled
}

/** What is known of a video before its maps. */
export interface Looked {
  readonly times: readonly number[]
  readonly shots: readonly ViewShot[]
  readonly wave: Uint8Array | undefined
}

/** Looks through a video: times, shots and sound. */
export async function lookAt(info: VideoInfo, options: ReadOptions): Promise<Looked> {
  const { audio } = info
  return { ...(await lookThrough(info, options)), wave: audio === null ? undefined : await waveOf({ ...info, audio }, options) }
}

/** A map of a video, as a page takes it. */
export interface PageMap {
  readonly frame: number
  readonly time?: number | undefined
  readonly tensor: MapTensor
}

/** Takes the maps, one by one, and keeps what the page shows. */
export async function takeMaps(
  info: VideoInfo,
  { times, shots, wave }: Looked,
  given: AsyncIterable<PageMap>,
  options: { readonly signal?: AbortSignal | undefined; readonly onMap?: (count: number) => void },
): Promise<ViewContent> {
  const maps = new MapShelf()
  let [last, stride] = [-1, 1]
  for await (const { frame, time = times[frame], tensor } of given) {
    options.signal?.throwIfAborted()
    if (!Number.isInteger(frame) || frame <= last || time === undefined)
      throw invalidArgument('maps', `maps of frames in their order, each below ${times.length}, the frames of the video`, frame)
    if (typeof time !== 'number' || !Number.isFinite(time)) throw invalidArgument('maps', 'maps with times that are numbers', time)
    if (last >= 0) stride = frame - last
    last = frame
    maps.add(tensor, time, stride)
    options.onMap?.(maps.times.length)
  }
  if (maps.times.length === 0) throw invalidArgument('maps', 'at least one map', [])
  const frame = 1 / rationalValue(info.video.rate)
  return {
    ...{ title: basename(info.path), size: [info.video.height, info.video.width], shots, wave, maps },
    duration: Math.max(info.duration ?? 0, times.at(-1)! + frame),
    until: maps.times.at(-1)! + (stride + 0.5) * frame,
  }
}

/** The video's bytes for a page that holds it. */
export function filmBytes(info: VideoInfo, film: FilmSource, signal?: AbortSignal): AsyncIterable<string> | undefined {
  return 'inside' in film ? fileAsBase64(fileOf(info), signal) : undefined
}

/** Writes the pieces of a page to a place, whole. */
export async function writePieces(place: OutputPlace, pieces: AsyncIterable<string>, signal?: AbortSignal): Promise<void> {
  const writing = <T>(work: Promise<T>): Promise<T> => work.catch((cause: unknown) => Promise.reject(fileError('write', place.target, cause)))
  const file = await writing(open(place.temporary, 'wx'))
  try {
    for await (const piece of pieces) {
      signal?.throwIfAborted()
      await writing(file.appendFile(piece))
    }
    await writing(file.sync())
  } finally {
    await file.close()
  }
  signal?.throwIfAborted()
  await place.commit()
}
