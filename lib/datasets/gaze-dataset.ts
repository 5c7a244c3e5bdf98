import { readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { checkString, isPlain } from '../checks/options.ts'
import { DiffSalError, fileError, invalidArgument, invalidArgumentText } from '../errors.ts'
import { readText, withRegularFile } from '../files/regular-file.ts'
import { RowBudget } from '../gaze/row-budget.ts'
import { viewedScreen } from '../gaze/screen.ts'
import { checkTracker, type TrackerOptions } from '../gaze/tracker-options.ts'
import type { Split } from './dataset-options.ts'
import { readGazeOptions, type GazeOptions, type GazeSet } from './gaze-options.ts'
import { findGazePictures } from './gaze-pictures.ts'
import { GazeDataset, readSize } from './gaze-samples.ts'
import { findGazeVideos } from './gaze-videos.ts'
import { ofSplit } from './held-out.ts'
import { LruCache } from './lru-cache.ts'
import { mapLimited } from './map-limited.ts'
import { Tree } from './numbered-folder.ts'
import { SoundCache } from './sound-source.ts'

/** About how much memory decoded frames of videos may take, in bytes. */
const cacheBytes = 1 << 30
const blockFrames = 64

/**
 * Opens a folder of eye tracking, of pictures, videos or both:
 *
 * - `fixations.json`: `{ "1001.jpg": [[viewer, x, y, milliseconds], …] }`, fixations of the pictures beside it;
 * - `0001.jpg` with `0001.png`: pictures with density maps;
 * - `NAME.mp4` with `NAME.csv` (or `.tsv`, `.json`, `.xls` of text, an EyeLink's `.asc`; `NAME.<recording>.csv`, `.csv.gz`): videos with what {@link readGaze} reads, a row a fixation (`viewer,start_ms,duration_ms,x,y`),
 *   a sample (`viewer,time_ms,x,y`) or a frame (`viewer,frame,x,y`); several tables are the viewers of one video;
 * - `NAME.mp4` with `NAME.map.mp4`: videos with density maps, a frame a frame.
 *
 * or of folders `train` and `val` of such files, the splits 'train' and 'validation' (or 'test'). x and y are shares of width and height. What is
 * called `osie/1001.jpg` is the picture of that name in a folder `osie`.
 *
 * A picture is a clip of itself; with `augment` also of a slow camera over it, its map and fixations moved with it. A clip of a video is at every
 * `stride`-th frame, which is 16 of the windows 'train' and 1 of 'test' where it is not given. What has no sound is silent.
 *
 * The target of a frame is the sum of a Gaussian on each place where someone looks then, scaled to a maximum of 1; of a picture, on all of its
 * fixations. `fixations` say how often each pixel was looked at. A frame at which nobody looks has no sample and no truth.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT; ERR_DIFFSAL_FILE where nothing of that lies in `root` and, where faults are errors, for
 * what is damaged; ERR_DIFFSAL_MEDIA likewise; ERR_DIFFSAL_FFMPEG_MISSING where there are videos
 */
export async function openGaze(root: string, options?: GazeOptions): Promise<GazeSet> {
  checkString('root', root)
  const plan = readGazeOptions(options)
  const { recordings } = plan
  // A sound that is missing is not passed over as a sample's would be: an option names it.
  await mapLimited(plan.sounds, 8, (path) => withRegularFile(path, async () => undefined))
  const sounds = new SoundCache()
  const { folder, title, parted } = await partOf(root, plan.split)
  if (parted && plan.heldOut !== undefined) throw invalidArgument('heldOut', `left out, since '${root}' is parted already`, plan.heldOut)
  const names = await filesOf(folder)
  const told = plan.tracker === undefined ? await trackerIn(folder, names) : checkTracker(plan.tracker)
  if (typeof plan.sigma === 'object') viewedScreen('tracker.screen', told.screen, 'a sigma in degrees')
  const room = readSize(plan)
  const blocks = new LruCache<string, Uint8Array>(Math.max(4, Math.floor(cacheBytes / (blockFrames * 3 * room[0] * room[1]))))
  const found = [
    ...(await findGazePictures(title, folder, names, plan)),
    ...findGazeVideos(title, folder, names, { faults: plan.faults, recordings, tracker: told, blocks, sounds, rows: new RowBudget() }),
  ]
  const wanted = plan.heldOut === undefined || found.length === 0 ? found : ofSplit(found, plan.heldOut, plan.split, folder)
  const sources = (await mapLimited(wanted, 4, (one) => one.open())).filter((one) => one !== undefined)
  if (sources.length === 0) {
    const none = found.length === 0 ? 'holds no eye tracking' : `holds no eye tracking that can be used (${wanted.length} pictures and videos were left out)`
    const message = `'${folder}' ${none}: ${layouts}.`
    throw new DiffSalError('ERR_DIFFSAL_FILE', message, { argument: 'root', expected: layouts, received: root })
  }
  const sounding = sources.filter(({ sound }) => sound !== undefined).length
  if (plan.sound === 'other' && sounding < 2) {
    throw invalidArgumentText('sound', "other than 'other' where fewer than two videos have sound", `'other' for ${sounding} of ${sources.length}`)
  }
  return new GazeDataset(sources, plan, sounds, told.screen)
}

const layouts =
  "'fixations.json' beside pictures, pictures with maps ('0001.jpg', '0001.png'), or videos with gaze ('NAME.mp4' with 'NAME.csv', '.tsv', '.json', '.asc', '.xls' or 'NAME.map.mp4')"

/** The file in a folder that says what its tables do not. */
export const trackerFile = 'tracker.json'

async function trackerIn(folder: string, names: readonly string[]): Promise<TrackerOptions> {
  return names.includes(trackerFile) ? readTracker(join(folder, trackerFile)) : {}
}

/**
 * Reads {@link TrackerOptions} from a file of JSON.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE for what is no JSON; ERR_DIFFSAL_INVALID_ARGUMENT for what is said in it
 */
export async function readTracker(path: string): Promise<TrackerOptions> {
  let value: unknown
  try {
    value = JSON.parse((await readText(path)).replace(/^\ufeff/, ''))
  } catch (cause) {
    if (cause instanceof DiffSalError) throw cause
    throw new DiffSalError('ERR_DIFFSAL_FILE', `'${path}' is no JSON: ${(cause as Error).message}.`, { argument: path, cause })
  }
  if (!isPlain(value)) throw new DiffSalError('ERR_DIFFSAL_FILE', `'${path}' must hold an object of what the tables do not tell.`, { argument: path })
  return checkTracker(value)
}

/** Where a split's files are: in `train` or `val` where a folder has these, else in itself. */
async function partOf(root: string, split: Split): Promise<{ folder: string; title: string; parted: boolean }> {
  const title = basename(resolve(root))
  const tree = new Tree()
  const [train, validation] = [await tree.find(root, 'train'), await tree.find(root, 'val')]
  if (train === undefined && validation === undefined) return { folder: root, title, parted: false }
  const folder = split === 'train' ? train : validation
  if (folder === undefined) {
    const message = `'${root}' has no folder '${split === 'train' ? 'train' : 'val'}' beside its '${basename((train ?? validation)!)}', so the split '${split}' has nothing.`
    throw new DiffSalError('ERR_DIFFSAL_FILE', message, { argument: 'root', received: root })
  }
  return { folder, title: `${title}/${basename(folder)}`, parted: true }
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (cause) {
    throw fileError('read', folder, cause)
  }
}
