import { checkString } from './checks/options.ts'
import { callback, readOptions, signal, yes, type OptionTable } from './checks/table.ts'
import { invalidArgument } from './errors.ts'
import { OutputPlace } from './files/output-place.ts'
import { checkNoInput } from './files/same-file.ts'
import { withMedia } from './media/open-media.ts'
import { kindOfInput, type VideoInput } from './media/video-input.ts'
import type { MapTensor } from './metrics/metrics.ts'
import { inputTable, videoTable, type PredictVideoOptions } from './predict-video.ts'
import { checkPagePath, filmBytes, filmFor, lookAt, takeMaps, videoOf, writePieces } from './view/make-view.ts'
import { viewHtml } from './view/view-html.ts'

/** A map of one frame, as `predictVideo` gives them. */
export interface ViewMap {
  /** The frame's number, from 0. */
  readonly frame: number
  /** Its time in seconds. Default: the frame's, as the video tells it. */
  readonly time?: number | undefined
  /** (h, w), (1, h, w) or (1, 1, h, w), not negative; bytes stand for 0 to 1. All of one size. */
  readonly tensor: MapTensor
}

/** How {@link writeViewPage} makes a page. */
export interface WriteViewPageOptions extends Pick<PredictVideoOptions, 'audioTrack' | 'stallLimit' | 'network' | 'spoolLimit'> {
  /** The page does not hold the video, but plays the file, by its place relative to the page. Needed above 32 MiB. Default false. */
  beside?: boolean | undefined
  /** Which video track, from 1, of a file with several. Browsers play their own. Default: the one that the file marks, else the first with more than one picture. */
  videoTrack?: number | undefined
  /** Stops the work; the promise rejects with the signal's reason, and nothing is left of the page. */
  signal?: AbortSignal | undefined
  /** Called after each map with how many were taken. */
  onProgress?: ((progress: ViewProgress) => void) | undefined
}

/** How far a page is. */
export interface ViewProgress {
  /** Maps that were taken. */
  maps: number
}

/** What there is to know of {@link WriteViewPageOptions}. */
export const viewTable = {
  beside: yes({ usual: false, help: 'the page plays the file of the video where it lies, and does not hold it' }),
  videoTrack: videoTable.videoTrack,
  audioTrack: videoTable.audioTrack,
  ...inputTable(),
  signal,
  onProgress: callback(),
} satisfies OptionTable<WriteViewPageOptions>

/**
 * Writes one HTML page that shows a video with its maps over it: with opacity and colours to choose, the sound's wave, how concentrated
 * the maps are over time (`maps.confidence`), where they point to (`maps.focalPoint`, `maps.peaks`), and the shots. It needs no network, and
 * opens from a file.
 *
 * A page holds maps of 96 columns at most, a byte a pixel, 64 MiB in all: at 25 maps a second of 56 × 96 a minute takes 8 MB, and 11 MB of
 * the page. The video is in it whole: maps of a part (`start` and `end` of `predictVideo`) are shown where they belong, so that there is no such option
 * here. Meanwhile these bytes are in memory, and some numbers a frame. The video is looked through before the first map is asked for.
 *
 * @param path - the page, `.html`. A file of that name is replaced once the page is whole.
 * @param maps - in the order of their frames: `model.predictVideo(input)`, or maps of any origin
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, also for an output that is the input, and for more maps than a page holds;
 * ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE; ERR_DIFFSAL_MEDIA for a file without a video, or too long for a page; ERR_DIFFSAL_FFMPEG_MISSING; and what
 * the maps throw
 */
export async function writeViewPage(path: string, input: VideoInput, maps: AsyncIterable<ViewMap>, options?: WriteViewPageOptions): Promise<void> {
  checkPagePath('path', checkString('path', path))
  const given = readOptions<WriteViewPageOptions, typeof viewTable>('options', options, viewTable)
  const found = kindOfInput(input)
  if (!isIterable(maps)) throw invalidArgument('maps', 'maps that are iterated over asynchronously, as predictVideo gives them', maps)
  const { beside, stallLimit, signal: stop, onProgress } = given
  stop?.throwIfAborted()
  if (found.kind === 'file') await checkNoInput(path, [found.path])
  await withMedia(input, given, async (opened) => {
    const info = videoOf(opened)
    const film = await filmFor(path, info, beside)
    const place = await OutputPlace.beside(path)
    try {
      const looked = await lookAt(info, { signal: stop, stallLimit })
      const content = await takeMaps(info, looked, maps, { signal: stop, onMap: (count) => onProgress?.({ maps: count }) })
      await writePieces(place, viewHtml(content, film, filmBytes(info, film, stop)), stop)
    } finally {
      await place.discard()
    }
  })
}

function isIterable(value: unknown): boolean {
  try {
    return typeof value === 'object' && value !== null && typeof (value as AsyncIterable<unknown>)[Symbol.asyncIterator] === 'function'
  } catch {
    return false
  }
}
