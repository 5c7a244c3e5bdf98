import { extname, join, parse } from 'node:path'
import { DiffSalError } from '../errors.ts'
import { reportFault, type Faults } from '../faults.ts'
import { readGaze } from '../gaze/read-gaze.ts'
import { GazeRecording } from '../gaze/recording.ts'
import { mediaError, probe, type MediaInfo, type VideoStream } from '../media/probe.ts'
import { rationalValue } from '../media/rational.ts'
import { VideoFrames } from './frame-source.ts'
import type { GazeSource } from './gaze-source.ts'
import { LruCache } from './lru-cache.ts'
import { mapLimited } from './map-limited.ts'
import { videoExtensions } from './numbered-folder.ts'
import { SoundCache } from './sound-source.ts'
import type { Plane } from './view.ts'

/** What the videos of a folder are found with. */
export interface GazeVideoPlan extends Faults {
  /** Which recordings of a video count, by what stands between its name and `.csv`: '' for `NAME.csv`. undefined: all. */
  readonly recordings: readonly string[] | undefined
  /** Where decoded frames are kept. */
  readonly blocks: LruCache<string, Uint8Array>
}

const sounds = new SoundCache()

/**
 * The videos of a folder that tables of gaze (`NAME.csv`, `NAME.<recording>.csv`, also `.csv.gz`) or a video of density maps
 * (`NAME.map.mp4`, a frame a frame) lie beside. Several tables of a video are one with the viewers of all.
 *
 * @param title what the videos' names begin with
 * @param names the folder's files, sorted
 * @throws DiffSalError ERR_DIFFSAL_FFMPEG_MISSING and, where faults are errors, ERR_DIFFSAL_FILE and ERR_DIFFSAL_MEDIA for what is damaged
 */
export async function findGazeVideos(title: string, folder: string, names: readonly string[], plan: GazeVideoPlan): Promise<GazeSource[]> {
  const videos = names.filter((name) => isVideo(name) && !parse(name).name.endsWith('.map'))
  const found = await mapLimited(videos, 4, async (file) => {
    const { name } = parse(file)
    const map = names.find((one) => isVideo(one) && parse(one).name === `${name}.map`)
    const tables = names.filter((one) => one.startsWith(`${name}.`)).flatMap((one) => recordingOf(one.slice(name.length)) ?? [])
    const wanted = tables.filter(({ recording }) => plan.recordings?.includes(recording) ?? true)
    if (map === undefined && wanted.length === 0) return undefined
    try {
      const info = await videoOf(join(folder, file))
      const tablePaths = wanted.map(({ suffix }) => join(folder, name + suffix))
      const gaze = map === undefined ? await gazeOf(info, tablePaths, plan) : undefined
      return source(`${title}/${file}`, info, gaze, map === undefined ? undefined : await videoOf(join(folder, map)), plan.blocks)
    } catch (error) {
      if (plan.faults === 'error' || !(error instanceof DiffSalError) || !['ERR_DIFFSAL_FILE', 'ERR_DIFFSAL_MEDIA'].includes(error.code)) throw error
      reportFault(plan, error.message.replace(/\.$/, ''), `'${title}/${file}' is left out`, join(folder, file))
      return undefined
    }
  })
  return found.filter((one) => one !== undefined)
}

/** `.csv` is the recording '', `.ved100.csv.gz` is 'ved100'; undefined for no table. */
function recordingOf(suffix: string): { suffix: string; recording: string } | undefined {
  const match = /^(?:\.([^.]+))?\.csv(?:\.gz)?$/i.exec(suffix)
  return match ? { suffix, recording: match[1] ?? '' } : undefined
}

function isVideo(name: string): boolean {
  return (videoExtensions as readonly string[]).includes(extname(name).slice(1).toLowerCase())
}

type VideoInfo = MediaInfo & { readonly video: VideoStream }

async function videoOf(path: string): Promise<VideoInfo> {
  const info = await probe(path)
  if (info.video === null) throw mediaError(path, 'has no video in it')
  if (info.video.frameEstimate === undefined) throw mediaError(path, 'does not tell how long it is')
  return { ...info, video: info.video }
}

async function gazeOf({ path, video }: VideoInfo, tables: readonly string[], plan: Faults): Promise<GazeRecording> {
  const recording = GazeRecording.join(await mapLimited(tables, 4, (table) => readGaze(table, video.rate, plan)))
  const length = (video.frameEstimate! * 1000) / rationalValue(video.rate)
  const late = recording.looks.filter(({ start }) => start > length + 1000)
  if (late.length > 0) {
    const what = `'${path}' is ${(length / 1000).toFixed(2)} s long, but ${late.length} looks at it begin after it has ended, the last at ${(late.at(-1)!.start / 1000).toFixed(2)} s`
    reportFault(plan, what, 'they are left out', path)
  }
  return recording
}

function source(name: string, info: VideoInfo, gaze: GazeRecording | undefined, map: VideoInfo | undefined, blocks: LruCache<string, Uint8Array>): GazeSource {
  const { path, video, audio } = info
  const frames = new VideoFrames(path, blocks)
  const maps = map && new VideoFrames(map.path, blocks)
  return {
    name,
    count: map === undefined ? video.frameEstimate! : Math.min(video.frameEstimate!, map.video.frameEstimate!),
    rate: video.rate,
    size: async () => [video.height, video.width],
    async read(wanted, size) {
      const bytes = size[0] * size[1] * 3
      const data = await frames.read(wanted, size)
      return wanted.map((_, t): Plane => ({ height: size[0], width: size[1], channels: 3, data: data.subarray(t * bytes, (t + 1) * bytes) }))
    },
    points: (frame) => gaze?.at((frame * 1000) / rationalValue(video.rate)),
    viewers: () => gaze?.viewers.toSorted() ?? [],
    map: (frame, size = [map!.video.height, map!.video.width]) => (maps === undefined ? undefined : greyFrame(maps, frame, size)),
    sound: audio === null ? undefined : () => sounds.open(path),
  }
}

/** A grey frame of a video: its red, which is as its green and its blue. */
async function greyFrame(frames: VideoFrames, frame: number, [height, width]: readonly [number, number]): Promise<Plane> {
  const rgb = await frames.read([frame], [height, width])
  return { height, width, channels: 1, data: new Uint8Array(height * width).map((_, i) => rgb[3 * i]!) }
}
