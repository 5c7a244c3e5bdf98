import { basename, extname, join, parse } from 'node:path'
import { DiffSalError, invalidArgumentText } from '../errors.ts'
import { reportFault, type Faults } from '../files/faults.ts'
import { readGazeWithin } from '../gaze/read-gaze.ts'
import type { RowBudget } from '../gaze/row-budget.ts'
import type { TrackerOptions } from '../gaze/tracker-options.ts'
import { GazeRecording } from '../gaze/recording.ts'
import { firstFrameTime } from '../media/first-frame-time.ts'
import { mediaError } from '../media/local-file.ts'
import type { MediaInfo, VideoStream } from '../media/media-info.ts'
import { probe } from '../media/probe.ts'
import { rationalValue } from '../media/rational.ts'
import { VideoFrames } from './frame-source.ts'
import type { FoundSource, GazeSource } from './gaze-source.ts'
import type { LruCache } from './lru-cache.ts'
import { mapLimited } from './map-limited.ts'
import { videoExtensions } from './numbered-folder.ts'
import type { SoundCache } from './sound-source.ts'
import type { Plane } from './view.ts'

/** What the videos of a folder are found with. */
export interface GazeVideoPlan extends Faults {
  /** Which recordings of a video count, by what stands between its name and `.csv`: '' for `NAME.csv`. undefined: all. */
  readonly recordings: readonly string[] | undefined
  /** What the tables do not tell themselves. */
  readonly tracker: TrackerOptions
  /** Where decoded frames are kept. */
  readonly blocks: LruCache<string, Uint8Array>
  readonly sounds: SoundCache
  /** What the tables of all videos may have together. */
  readonly rows: RowBudget
}

/** A table of gaze beside a video. */
interface TableFile {
  readonly file: string
  /** The video's name without its extension. */
  readonly video: string
  /** `NAME.csv` is the recording '', `NAME.ved100.csv.gz` is 'ved100'. */
  readonly recording: string
}

/**
 * The videos of a folder that tables of gaze (`NAME.csv`, `.tsv`, `.json`, `.xls`, `.asc`, `NAME.<recording>.csv`, also `.csv.gz`) or a video of density maps
 * (`NAME.map.mp4`, a frame a frame) lie beside. Several tables of a video are one with the viewers of all.
 *
 * @param title what the videos' names begin with
 * @param names the folder's files, sorted
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for a recording that no video has
 */
export function findGazeVideos(title: string, folder: string, names: readonly string[], plan: GazeVideoPlan): FoundSource[] {
  const videos = names.filter((name) => isVideo(name) && !isMap(name))
  const tables = tablesOf(names, new Set(videos.map((file) => parse(file).name)))
  checkRecordings(plan.recordings, folder, tables)
  const wanted = tables.filter(({ recording }) => plan.recordings?.includes(recording) ?? true)
  const paths = new Map<string, string[]>(videos.map((file) => [parse(file).name, []]))
  for (const { video, file } of wanted) paths.get(video)!.push(join(folder, file))
  const maps = new Map(
    names
      .filter(isMap)
      .toReversed()
      .map((name) => [parse(name).name, name]),
  )
  return videos.flatMap((file) => {
    const video = parse(file).name
    const map = maps.get(`${video}.map`)
    const own = paths.get(video)!
    if (map === undefined && own.length === 0) return []
    const name = `${title}/${file}`
    return [{ name, open: () => openVideo(name, join(folder, file), own, map && join(folder, map), plan) }]
  })
}

async function openVideo(name: string, path: string, tables: readonly string[], map: string | undefined, plan: GazeVideoPlan): Promise<GazeSource | undefined> {
  try {
    const info = await videoOf(path)
    if (map !== undefined) return source(name, info, undefined, await videoOf(map), plan)
    return source(name, info, await gazeOf(info, tables, plan), undefined, plan)
  } catch (error) {
    if (!(error instanceof DiffSalError) || !['ERR_DIFFSAL_FILE', 'ERR_DIFFSAL_MEDIA'].includes(error.code) || plan.faults === 'error') throw error
    reportFault(plan, error.message.replace(/\.$/, ''), `'${name}' is left out`, path)
    return undefined
  }
}

/** The tables of a folder's videos. One that could be of two, `a.b.csv` of `a.mp4` and `a.b.mp4`, is of the longer name. */
function tablesOf(names: readonly string[], videos: ReadonlySet<string>): TableFile[] {
  return names.flatMap((file) => {
    const stem = /^(.+)\.(?:csv|tsv|json|xls|asc)(?:\.gz)?$/i.exec(file)?.[1]
    if (stem === undefined) return []
    if (videos.has(stem)) return [{ file, video: stem, recording: '' }]
    const { name: video, ext } = parse(stem)
    return videos.has(video) ? [{ file, video, recording: ext.slice(1) }] : []
  })
}

function checkRecordings(recordings: readonly string[] | undefined, folder: string, tables: readonly TableFile[]): void {
  const known = [...new Set(tables.map(({ recording }) => recording))].map((one) => `'${one}'`).join(', ')
  for (const [i, one] of (recordings ?? []).entries()) {
    if (tables.some(({ recording }) => recording === one)) continue
    throw invalidArgumentText(`recordings[${i}]`, `a recording that a video in '${folder}' has (${known === '' ? 'none has any' : known})`, `'${one}'`)
  }
}

function isVideo(name: string): boolean {
  return (videoExtensions as readonly string[]).includes(extname(name).slice(1).toLowerCase())
}

/** Whether a file is a video of density maps. */
function isMap(name: string): boolean {
  return isVideo(name) && parse(name).name.endsWith('.map')
}

/** A video that was looked at. */
type VideoInfo = MediaInfo & {
  readonly video: VideoStream & { readonly frameEstimate: number }
  /** Seconds at which frame 0 is shown. */
  readonly begin: number
}

async function videoOf(path: string): Promise<VideoInfo> {
  const info = await probe(path)
  if (info.video === null) throw mediaError(path, 'has no video in it')
  const { duration, video } = info
  if (duration === undefined) throw mediaError(path, 'does not tell how long it is')
  const begin = await firstFrameTime({ ...info, video })
  return { ...info, video: { ...video, frameEstimate: Math.max(1, Math.round((duration - begin) * rationalValue(video.rate))) }, begin }
}

async function gazeOf({ path, video, begin }: VideoInfo, tables: readonly string[], plan: GazeVideoPlan): Promise<GazeRecording> {
  const rate = rationalValue(video.rate)
  const length = (begin + video.frameEstimate / rate) * 1000
  const recordings = await mapLimited(tables, 4, async (table) => {
    const options = { rate, faults: plan.faults, video: basename(path), picture: { width: video.width, height: video.height }, ...plan.tracker }
    const recording = await readGazeWithin(plan.rows, table, options, begin * 1000)
    const last = recording.looks.at(-1)!.start
    const late = recording.looks.reduce((count, { start }) => count + Number(start > length + 1000), 0)
    const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`
    if (late > 0) {
      const what = `'${path}' is ${seconds(length)} long, but ${late} looks in '${table}' begin after it has ended, the last at ${seconds(last)}${last > 50 * length ? ": are its times in milliseconds? Say tracker: { times: 'us' } where they are microseconds" : ''}`
      reportFault(plan, what, 'they are never shown', table)
    } else if (recording.end < length / 100) {
      const what = `'${path}' is ${seconds(length)} long, but the looks in '${table}' end after ${recording.end} ms: are its times in milliseconds? Say tracker: { times: 's' } where they are seconds`
      reportFault(plan, what, 'the rest has no gaze', table)
    }
    return recording
  })
  return GazeRecording.join(recordings)
}

function source(name: string, info: VideoInfo, gaze: GazeRecording | undefined, map: VideoInfo | undefined, { blocks, sounds }: GazeVideoPlan): GazeSource {
  const { path, video, audio, begin } = info
  const frames = new VideoFrames(path, blocks)
  const maps = map && new VideoFrames(map.path, blocks)
  return {
    name,
    count: Math.min(video.frameEstimate, map?.video.frameEstimate ?? Infinity),
    rate: video.rate,
    begin,
    size: async () => [video.height, video.width],
    async read(wanted, size) {
      const bytes = size[0] * size[1] * 3
      const data = await frames.read(wanted, size)
      return wanted.map((_, t): Plane => ({ height: size[0], width: size[1], channels: 3, data: data.subarray(t * bytes, (t + 1) * bytes) }))
    },
    points: (frame) => gaze?.at((begin + frame / rationalValue(video.rate)) * 1000),
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
