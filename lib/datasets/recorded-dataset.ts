import { DiffSalError } from '../errors.ts'
import { reportFault } from '../files/faults.ts'
import { answeredFrame } from '../gaze-delay.ts'
import type { AudioExcerpt } from '../inputs.ts'
import { rationalValue, type Rational } from '../media/rational.ts'
import type { FixationTensor } from '../metrics/metrics.ts'
import type { GroundTruth } from '../metrics/score.ts'
import type { Tensor } from '../tensor.ts'
import type { DatasetPlan } from './dataset-options.ts'
import { checkIndex, type SaliencyDataset, type TrainingSample } from './dataset.ts'
import { densityFromFixations, resizeFixations } from './density.ts'
import { FaultySamples } from './faulty-samples.ts'
import { readFixations } from './fixations.ts'
import type { FrameSource } from './frame-source.ts'
import type { NumberedFolder } from './numbered-folder.ts'
import { readGrey, resizeGrey } from './pictures.ts'
import { clipSilence, clipSound, SoundCache } from './sound-source.ts'
import { clipFrames, testFrames, trainingFrames, type WindowPlan } from './windows.ts'

/** Of videos that are frames alone. */
const usualRate: Rational = { num: 25, den: 1 }

/** A video as a dataset's tree has it. */
export interface RecordedVideo {
  /** Unique in the dataset. */
  readonly name: string
  /** How many frames it has. */
  readonly count: number
  readonly frames: FrameSource
  /** The number of frame 0's map and fixations. */
  readonly origin: number
  /** The density maps, pictures. */
  readonly maps?: NumberedFolder | undefined
  /** The fixations, `.mat` or pictures. */
  readonly fixations?: NumberedFolder | undefined
  /** Frames a second, of a set without sound whose videos are known to have it. */
  readonly rate?: Rational | undefined
  /** For a set with sound: frames a second, and the file; none is silence. */
  readonly sound?: { readonly rate: Rational; readonly path?: string | undefined }
}

/** Frames, sound, maps and fixations of videos as samples of training, and as ground truth for scoring. */
export class RecordedDataset implements SaliencyDataset {
  readonly length: number
  readonly videos: readonly string[]
  readonly #plan: DatasetPlan
  readonly #videos: ReadonlyMap<string, RecordedVideo>
  /** The videos that have samples, the frames of these, and how many samples come before. */
  readonly #samples: { readonly video: RecordedVideo; readonly frames: Uint32Array; readonly before: number }[] = []
  readonly #sounds = new SoundCache()
  readonly #faulty: FaultySamples

  /**
   * @param title The dataset, for messages.
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where no sample is left; ERR_DIFFSAL_FILE for a fault, where faults are errors.
   */
  constructor(title: string, root: string, videos: readonly RecordedVideo[], windows: WindowPlan, plan: DatasetPlan) {
    this.#plan = plan
    this.#faulty = new FaultySamples(plan)
    this.#videos = new Map(videos.map((video) => [video.name, video]))
    this.videos = [...this.#videos.keys()]
    let length = 0
    for (const video of videos) {
      const centres = plan.windows === 'train' ? trainingFrames(video.count, windows) : testFrames(video.count, plan.stride)
      const frames = Uint32Array.from(this.#withoutFaults(video, centres))
      if (frames.length > 0) this.#samples.push({ video, frames, before: length })
      length += frames.length
    }
    this.length = length
    if (length > 0) return
    const annotated = videos.some(({ maps, fixations }) => (maps?.count ?? 0) + (fixations?.count ?? 0) > 0)
    const fixated = videos.some(({ fixations }) => (fixations?.count ?? 0) > 0)
    const why = !annotated
      ? `no map for any video of its split '${plan.split}' (the maps of a challenge's test split are not public)`
      : fixated && plan.densitySigma === undefined && videos.every(({ maps }) => (maps?.count ?? 0) === 0)
        ? "fixations but no density maps: give 'densitySigma' to make them"
        : 'no clip whose frames and map are all there (the warnings say what is missing)'
    throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `The ${title} dataset is empty: '${root}' has ${why}.`, {
      argument: 'root',
      received: root,
    })
  }

  async get(index: number): Promise<TrainingSample | null> {
    checkIndex(index, this.length)
    const { video, frames, before } = this.#samples.findLast((one) => one.before <= index)!
    const frame = frames[index - before]!
    return (await this.#faulty.unless(video.name, frame, () => this.#sample(video, frame))) ?? null
  }

  async truth(name: string, frame: number): Promise<GroundTruth | undefined> {
    const video = this.#videos.get(name)
    if (video === undefined || !Number.isInteger(frame) || frame < 0 || frame >= video.count) return undefined
    return this.#faulty.unless(video.name, frame, async () => {
      const [map, found] = await settled([this.#map(video, frame), this.#fixations(video, frame)])
      const density = map ?? (found && this.#densityOf(found))
      if (density === undefined) return found && { fixations: found }
      if (found === undefined) return { density }
      return { density, fixations: resizeFixations(found, density.shape[0]!, density.shape[1]!) }
    })
  }

  /** The frames whose clip and map are there; what is missing is reported, once for each kind in a video. */
  #withoutFaults(video: RecordedVideo, centres: readonly number[]): number[] {
    const missing = Array.from({ length: video.count }, (_, k) => k).filter((k) => !video.frames.has(k))
    if (missing.length > 0) {
      const which = `one of ${missing.length} of ${video.count} frames of '${video.name}' that are missing`
      const message = `'${video.frames.name(missing[0]!)}' does not exist, ${which}`
      reportFault(this.#plan, message, 'clips that need them are left out', video.frames.name(missing[0]!))
    }
    const absent = new Set(missing)
    const whole = absent.size === 0 ? centres : centres.filter((k) => this.#clipOf(video, k).every((at) => !absent.has(at)))
    const mapped = whole.filter((k) => this.#hasTarget(video, k))
    const unmapped = whole.find((k) => !this.#hasTarget(video, k))
    // A whole video without maps is not annotated (a test split); one without some is damaged.
    if (unmapped !== undefined && mapped.length > 0) {
      const file = video.maps?.file(unmapped + video.origin) ?? video.name
      const message = `'${file}' does not exist, one of ${whole.length - mapped.length} maps of '${video.name}' that are missing`
      reportFault(this.#plan, message, 'their clips are left out', file)
    }
    return mapped
  }

  #clipOf({ count, sound, rate = usualRate }: RecordedVideo, frame: number): number[] {
    const { clipLength, gazeDelay } = this.#plan
    return clipFrames(answeredFrame(frame, gazeDelay, rationalValue(sound?.rate ?? rate)), clipLength, count)
  }

  #hasTarget({ maps, fixations, origin }: RecordedVideo, frame: number): boolean {
    return maps?.has(frame + origin) || (this.#plan.densitySigma !== undefined && (fixations?.has(frame + origin) ?? false))
  }

  async #sample(video: RecordedVideo, frame: number): Promise<TrainingSample | null> {
    const { size, clipLength } = this.#plan
    const [height, width] = size
    // First the map alone: where it is all zero, nothing else needs decoding.
    const target = await this.#target(video, frame)
    if (target.every((value) => value === 0)) return null
    const [data, audio, fixations] = await settled([
      video.frames.read(this.#clipOf(video, frame), size),
      this.#sound(video, frame),
      this.#plan.fixations ? this.#fixations(video, frame) : undefined,
    ])
    return {
      frames: { dtype: 'uint8', shape: [clipLength, height, width, 3], data },
      audio,
      target: { dtype: 'float32', shape: [1, height, width], data: target },
      ...(fixations && { fixations: { ...resizeFixations(fixations, height, width), shape: [1, height, width] } }),
      video: video.name,
      frame,
    }
  }

  async #target(video: RecordedVideo, frame: number): Promise<Float32Array> {
    const { size } = this.#plan
    const { maps, origin } = video
    if (maps?.has(frame + origin)) return inUnits((await readGrey(maps.file(frame + origin), size)).data)
    const { data, shape } = this.#densityOf((await this.#fixations(video, frame))!)!
    const bytes = new Uint8Array(data.map((value) => Math.round(value * 255)))
    const small = await resizeGrey({ data: bytes, height: shape[0]!, width: shape[1]! }, size)
    return inUnits(small)
  }

  async #map({ maps, origin }: RecordedVideo, frame: number): Promise<Tensor<'float32'> | undefined> {
    if (!maps?.has(frame + origin)) return undefined
    const { height, width, data } = await readGrey(maps.file(frame + origin))
    return { dtype: 'float32', shape: [height, width], data: inUnits(data) }
  }

  async #fixations({ fixations, origin }: RecordedVideo, frame: number): Promise<FixationTensor | undefined> {
    return fixations?.has(frame + origin) ? readFixations(fixations.file(frame + origin)) : undefined
  }

  #densityOf(fixations: FixationTensor): Tensor<'float32'> | undefined {
    const { densitySigma } = this.#plan
    return densitySigma === undefined ? undefined : densityFromFixations(fixations, densitySigma)
  }

  async #sound({ sound }: RecordedVideo, frame: number): Promise<AudioExcerpt | null> {
    if (sound === undefined) return null
    const { clipLength, gazeDelay } = this.#plan
    if (sound.path === undefined) return clipSilence(clipLength, sound.rate)
    return clipSound(await this.#sounds.open(sound.path), answeredFrame(frame, gazeDelay, rationalValue(sound.rate)), clipLength, sound.rate)
  }
}

/** 0 to 255 as 0 to 1. */
function inUnits(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes).map((value) => value / 255)
}

/** Waits for all, then gives the values or throws the first error: nothing goes on unwatched. */
async function settled<T extends readonly unknown[]>(values: readonly [...T]): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const ends = await Promise.allSettled(values)
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return ends.map((end) => (end as PromiseFulfilledResult<unknown>).value) as { -readonly [K in keyof T]: Awaited<T[K]> }
}
