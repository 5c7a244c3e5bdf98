import { readdir } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { checkBoolean, checkChoice, checkInteger, checkNumber, checkOptions, checkString, checkStrings } from '../checks/options.ts'
import { DiffSalError, fileError, invalidArgument, invalidArgumentText } from '../errors.ts'
import { withRegularFile } from '../files/regular-file.ts'
import { densityOfPoints, fixationMapOfPoints, type GazePoint } from '../gaze/points.ts'
import { RowBudget } from '../gaze/read-gaze.ts'
import type { AudioExcerpt } from '../inputs.ts'
import type { Rational } from '../media/rational.ts'
import type { GroundTruth } from '../metrics/score.ts'
import { Random } from '../random/random.ts'
import { checkSeed } from '../random/seed.ts'
import type { Tensor } from '../tensor.ts'
import { checkDatasetOptions, checkSize, type DatasetOptions, type DatasetPlan, type Split } from './dataset-options.ts'
import { checkIndex, type SaliencyDataset, type TrainingSample } from './dataset.ts'
import { FaultySamples } from './faulty-samples.ts'
import { findGazePictures } from './gaze-pictures.ts'
import type { GazeSource } from './gaze-source.ts'
import { findGazeVideos } from './gaze-videos.ts'
import { ofSplit } from './held-out.ts'
import { LruCache } from './lru-cache.ts'
import { mapLimited } from './map-limited.ts'
import { Tree } from './numbered-folder.ts'
import { clipSilence, clipSound, SoundCache, type SoundSource } from './sound-source.ts'
import { drawView, drawViewed, plainView, viewedPoints, type View } from './view.ts'
import { clipFrames } from './windows.ts'

/** How to open a folder of eye tracking. */
export interface GazeOptions extends Omit<DatasetOptions, 'densitySigma'> {
  /**
   * Which pictures and videos are held out from training: with n, each nth in the order of their names; or their names without extension,
   * where `*` stands for anything. The split 'train' is the rest, 'validation' and 'test' are those. It may not be given for a folder that is
   * parted already, into folders `train` and `val`. Default: none are, and every split has all.
   */
  heldOut?: number | readonly string[] | undefined
  /** Which tables of videos count: '' for `NAME.csv`, 'second' for `NAME.second.csv`. Default: all, as the viewers of one. */
  recordings?: readonly string[] | undefined
  /** Standard deviation of the Gaussian on each place that was looked at, as a share of the width. Default 1 / 40. */
  sigma?: number | undefined
  /**
   * Whether clips are changed at random, in each epoch anew: mirrored, cropped, in another light, between black bars; a video's frame is
   * any of its `stride`. Default false.
   */
  augment?: boolean | undefined
  /**
   * In how large a share of the clips of pictures a slow camera goes over the picture; in a fifth of that share there is a cut from another
   * picture, or to one. For `augment`. Default 0.5.
   */
  camera?: number | undefined
  /**
   * What is heard with clips of videos that have sound: 'right', their own; 'silence'; 'other', that of the next video with sound. It tells what
   * sound is worth to a model. Default 'right'.
   */
  sound?: (typeof soundChoices)[number] | undefined
  /** Files of sound, one of which is heard with clips that have none, in a share `soundShare`: a sound that says nothing. For `augment`. Default: none. */
  sounds?: readonly string[] | undefined
  /** See `sounds`. The other clips without sound are silent. Default 0.3. */
  soundShare?: number | undefined
  /** Decides what `augment` draws. Default 0. */
  seed?: number | undefined
}

/** A folder of eye tracking, opened: it tells who looked where. */
export interface GazeSet extends SaliencyDataset {
  /**
   * How many frames a video has; 1 of a picture.
   *
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for a video that is not in the set, as the methods below
   */
  frames(video: string): number
  /** [height, width] of its pictures. */
  size(video: string): Promise<readonly [number, number]>
  /** Its viewers' names, sorted; none where a map tells instead of their gaze. */
  viewers(video: string): readonly string[]
  /** Where its viewers look at a frame; undefined where a map tells instead. A viewer of a picture has a place for each fixation. */
  points(video: string, frame: number): readonly GazePoint[] | undefined
  /** The truth of a frame; with `viewers`, of these alone, and undefined where a map tells instead or none of them looks. */
  truth(video: string, frame: number, options?: GazeTruthOptions): Promise<GroundTruth | undefined>
}

/** Of whom {@link GazeSet.truth} tells. */
export interface GazeTruthOptions {
  /** Names as `viewers(video)` gives them. Default: all. */
  viewers?: readonly string[] | undefined
  /** [height, width] of the density and fixations. Default: the video's own. */
  size?: readonly [number, number] | undefined
}

const soundChoices = ['right', 'silence', 'other'] as const

/** The names of {@link GazeOptions}. */
export const gazeOptionNames = [
  ...(['split', 'windows', 'stride', 'size', 'clipLength', 'fixations', 'faults'] as const),
  ...(['heldOut', 'recordings', 'sigma', 'augment', 'camera', 'sound', 'sounds', 'soundShare', 'seed'] as const),
] as const

interface GazePlan extends DatasetPlan {
  readonly sigma: number
  readonly augment: boolean
  readonly camera: number
  readonly sound: (typeof soundChoices)[number]
  readonly sounds: readonly string[]
  readonly soundShare: number
  readonly seed: number
}

/** How far apart the clips of a video are where `stride` does not say. */
const strides = { train: 16, test: 1 } as const

/** A still has no rate; as long as its clip lasts, silence is heard. */
const stillRate: Rational = { num: 25, den: 1 }

/** About how much memory decoded frames of videos may take, in bytes. */
const cacheBytes = 1 << 30
const blockFrames = 64

/** How often a camera cuts from another picture. */
const cutShare = 0.2

/** Larger than the network's frames, so that a part of a picture is as sharp as the whole. */
const zoomRoom = 1.25

/**
 * Opens a folder of eye tracking, of pictures, videos or both:
 *
 * - `fixations.json`: `{ "1001.jpg": [[viewer, x, y, milliseconds], …] }`, fixations of the pictures beside it;
 * - `0001.jpg` with `0001.png`: pictures with density maps;
 * - `NAME.mp4` with `NAME.csv` (or `NAME.<recording>.csv`, `.csv.gz`): videos with a row a fixation (`viewer,start_ms,duration_ms,x,y`),
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
  const given = checkOptions<GazeOptions>('options', options, gazeOptionNames)
  const plan = checkGazePlan(given)
  const recordings = given.recordings === undefined ? undefined : checkStrings('recordings', given.recordings, true)
  // A sound that is missing is not passed over as a sample's would be: an option names it.
  await mapLimited(plan.sounds, 8, (path) => withRegularFile(path, async () => undefined))
  const sounds = new SoundCache()
  const { folder, title, parted } = await partOf(root, plan.split)
  if (parted && given.heldOut !== undefined) throw invalidArgument('heldOut', `left out, since '${root}' is parted already`, given.heldOut)
  const names = await filesOf(folder)
  const room = readSize(plan)
  const blocks = new LruCache<string, Uint8Array>(Math.max(4, Math.floor(cacheBytes / (blockFrames * 3 * room[0] * room[1]))))
  const found = [
    ...(await findGazePictures(title, folder, names, plan)),
    ...findGazeVideos(title, folder, names, { faults: plan.faults, recordings, blocks, sounds, rows: new RowBudget() }),
  ]
  const wanted = given.heldOut === undefined || found.length === 0 ? found : ofSplit(found, given.heldOut, plan.split, folder)
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
  return new GazeDataset(sources, plan, sounds)
}

const layouts = "'fixations.json' beside pictures, pictures with maps ('0001.jpg', '0001.png'), or videos with gaze ('NAME.mp4' with 'NAME.csv' or 'NAME.map.mp4')"

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

function checkGazePlan(given: GazeOptions): GazePlan {
  const windows = given.windows ?? ((given.split ?? 'train') === 'train' ? 'train' : 'test')
  const shared = checkDatasetOptions({ ...given, windows, stride: given.stride ?? strides[windows === 'train' ? 'train' : 'test'] }, ['train', 'validation', 'test'])
  return {
    ...shared,
    sigma: checkNumber('sigma', given.sigma ?? 1 / 40, 1e-4, 10),
    augment: checkBoolean('augment', given.augment ?? false),
    camera: checkNumber('camera', given.camera ?? 0.5, 0, 1),
    sound: checkChoice('sound', given.sound ?? 'right', soundChoices),
    sounds: checkStrings('sounds', given.sounds ?? []),
    soundShare: checkNumber('soundShare', given.soundShare ?? 0.3, 0, 1),
    seed: checkSeed('seed', given.seed ?? 0),
  }
}

/** [height, width] in which sources are read. */
function readSize({ size, augment }: GazePlan): readonly [number, number] {
  return augment ? [Math.ceil(size[0] * zoomRoom), Math.ceil(size[1] * zoomRoom)] : size
}

/** Pictures and videos with gaze as samples of training, and as ground truth for scoring. */
class GazeDataset implements GazeSet {
  readonly length: number
  readonly videos: readonly string[]
  readonly #plan: GazePlan
  readonly #byName: ReadonlyMap<string, GazeSource>
  /** The sources, how many samples each has, and how many come before. */
  readonly #samples: { readonly source: GazeSource; readonly count: number; readonly before: number }[] = []
  readonly #sounds: SoundCache
  readonly #faulty: FaultySamples

  constructor(sources: readonly GazeSource[], plan: GazePlan, sounds: SoundCache) {
    this.#plan = plan
    this.#sounds = sounds
    this.#faulty = new FaultySamples(plan)
    this.#byName = new Map(sources.map((source) => [source.name, source]))
    this.videos = [...this.#byName.keys()]
    let length = 0
    for (const source of sources) {
      const count = Math.ceil(source.count / plan.stride)
      this.#samples.push({ source, count, before: length })
      length += count
    }
    this.length = length
  }

  async get(index: number, epoch = 0): Promise<TrainingSample | null> {
    checkIndex(index, this.length)
    checkInteger('epoch', epoch, 0, 2 ** 20)
    const { source, before } = this.#samples.findLast((one) => one.before <= index)!
    const random = new Random(this.#plan.seed, epoch * 2 ** 32 + index)
    const from = (index - before) * this.#plan.stride
    const frame = this.#plan.augment ? from + random.below(Math.min(this.#plan.stride, source.count - from)) : from
    return (await this.#faulty.unless(source.name, frame, () => this.#sample(source, frame, random))) ?? null
  }

  frames(video: string): number {
    return this.#source(video).count
  }

  size(video: string): Promise<readonly [number, number]> {
    return this.#source(video).size()
  }

  viewers(video: string): readonly string[] {
    return this.#source(video).viewers()
  }

  points(video: string, frame: number): readonly GazePoint[] | undefined {
    const source = this.#source(video)
    return source.points(checkInteger('frame', frame, 0, source.count - 1))
  }

  async truth(name: string, frame: number, options?: GazeTruthOptions): Promise<GroundTruth | undefined> {
    const given = checkOptions<GazeTruthOptions>('options', options, ['viewers', 'size'])
    const viewers = given.viewers === undefined ? undefined : new Set(checkStrings('viewers', given.viewers))
    const wanted = given.size === undefined ? undefined : checkSize(given.size)
    const source = this.#byName.get(name)
    if (source === undefined || !Number.isInteger(frame) || frame < 0 || frame >= source.count) return undefined
    return this.#faulty.unless(name, frame, async () => {
      const all = source.points(frame)
      if (all === undefined) {
        if (viewers !== undefined) return undefined
        const map = await source.map(frame, wanted)
        return map && { density: { dtype: 'float32', shape: [map.height, map.width], data: scaledToOne(map.data) } as Tensor<'float32'> }
      }
      const points = viewers === undefined ? all : all.filter(({ viewer }) => viewers.has(viewer))
      if (points.length === 0) return undefined
      const size = wanted ?? (await source.size())
      return { density: densityOfPoints(points, size, this.#plan.sigma), fixations: fixationMapOfPoints(points, size) }
    })
  }

  #source(video: string): GazeSource {
    const source = this.#byName.get(video)
    if (source === undefined) throw invalidArgument('video', "one of the set's videos", video)
    return source
  }

  async #sample(source: GazeSource, frame: number, random: Random): Promise<TrainingSample | null> {
    const { size, clipLength, fixations, augment } = this.#plan
    const [height, width] = size
    const centre = Math.floor(clipLength / 2)
    const view = augment ? drawView(random, clipLength, source.rate === undefined && random.chance(this.#plan.camera), await aspectOf(source, size)) : plainView(clipLength)
    const points = source.points(frame)
    const seen = points && viewedPoints(points, view, centre, size)
    if (seen?.length === 0) return null
    const data = new Uint8Array(clipLength * height * width * 3)
    await this.#draw(source, frame, view, [0, clipLength], data)
    if (augment && source.rate === undefined && random.chance(this.#plan.camera * cutShare)) await this.#cut(random, data)
    const target = seen ? densityOfPoints(seen, size, this.#plan.sigma).data : await this.#viewedMap(source, frame, view)
    if (target.every((value) => value === 0)) return null
    return {
      frames: { dtype: 'uint8', shape: [clipLength, height, width, 3], data },
      audio: await this.#sound(source, frame, random),
      target: { dtype: 'float32', shape: [1, height, width], data: target },
      ...(fixations && seen && { fixations: fixationsOf(seen, size) }),
      video: source.name,
      frame,
    }
  }

  /** Draws frames `from` … `to` − 1 of a clip. */
  async #draw(source: GazeSource, frame: number, view: View, [from, to]: readonly [number, number], data: Uint8Array): Promise<void> {
    const { size, clipLength } = this.#plan
    const bytes = size[0] * size[1] * 3
    const numbers = clipFrames(frame, clipLength, source.count)
    const planes = await source.read(numbers, readSize(this.#plan))
    for (let t = from; t < to; t++) {
      const into = data.subarray(t * bytes, (t + 1) * bytes)
      // A still before a camera that does not move is drawn once.
      if (t > from && planes[t] === planes[t - 1] && view.boxes[t] === view.boxes[t - 1]) data.copyWithin(t * bytes, (t - 1) * bytes, t * bytes)
      else drawViewed(planes[t]!, view, t, size, into)
    }
  }

  /** Another picture before the clip's, or after it, up to a cut that the frame whose map is wanted does not see. */
  async #cut(random: Random, data: Uint8Array): Promise<void> {
    const { clipLength } = this.#plan
    const centre = Math.floor(clipLength / 2)
    const others = this.#samples[random.below(this.#samples.length)]!.source
    const at = 1 + random.below(clipLength - 1)
    const view = drawView(random, clipLength, random.chance(0.5), await aspectOf(others, this.#plan.size))
    await this.#draw(others, random.below(others.count), view, at <= centre ? [0, at] : [at, clipLength], data)
  }

  async #viewedMap(source: GazeSource, frame: number, view: View): Promise<Float32Array> {
    const map = await source.map(frame, readSize(this.#plan))
    if (map === undefined) return new Float32Array(this.#plan.size[0] * this.#plan.size[1])
    const drawn = new Uint8Array(this.#plan.size[0] * this.#plan.size[1])
    drawViewed(map, { ...view, light: undefined }, Math.floor(this.#plan.clipLength / 2), this.#plan.size, drawn)
    return scaledToOne(drawn)
  }

  async #sound(source: GazeSource, frame: number, random: Random): Promise<AudioExcerpt> {
    const { clipLength, augment, sound: choice, sounds, soundShare } = this.#plan
    const rate = source.rate ?? stillRate
    if (source.sound && choice === 'right') return clipSound(await source.sound(), frame, clipLength, rate)
    if (source.sound && choice === 'silence') return clipSilence(clipLength, rate)
    if (source.sound) {
      const other = await this.#nextWithSound(source).sound!()
      // As far in it as the frame is in its video: the sounds differ in length.
      return clipSound(other, Math.floor((frame / source.count) * framesOf(other, rate)), clipLength, rate)
    }
    if (!augment || sounds.length === 0 || !random.chance(soundShare)) return clipSilence(clipLength, rate)
    const sound = await this.#sounds.open(sounds[random.below(sounds.length)]!)
    return clipSound(sound, random.below(framesOf(sound, rate)), clipLength, rate)
  }

  #nextWithSound(source: GazeSource): GazeSource {
    const sounding = this.#samples.flatMap((one) => (one.source.sound ? [one.source] : []))
    return sounding[(sounding.indexOf(source) + 1) % sounding.length]!
  }
}

/** How many frames a sound is long. */
function framesOf(sound: SoundSource, rate: Rational): number {
  return Math.max(1, Math.floor((sound.length / sound.sampleRate) * (rate.num / rate.den)))
}

function fixationsOf(points: readonly GazePoint[], size: readonly [number, number]): Tensor<'uint8'> {
  return { ...fixationMapOfPoints(points, size), shape: [1, ...size] }
}

/** How much wider a source is than the network's frames; below 1 where it is narrower. */
async function aspectOf(source: GazeSource, [height, width]: readonly [number, number]): Promise<number> {
  const [high, wide] = await source.size()
  return (wide / high) * (height / width)
}

function scaledToOne(bytes: Uint8Array): Float32Array {
  const most = bytes.reduce((greatest, value) => Math.max(greatest, value), 0)
  return new Float32Array(bytes).map((value) => (most > 0 ? value / most : 0))
}
