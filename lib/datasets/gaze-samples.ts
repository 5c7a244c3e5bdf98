import { checkInteger } from '../checks/options.ts'
import { readOptions } from '../checks/table.ts'
import { invalidArgument } from '../errors.ts'
import { answeredFrame } from '../gaze-delay.ts'
import { densityOfPoints, fixationMapOfPoints, type GazePoint } from '../gaze/points.ts'
import { shareOfDegrees, type GazeScreen } from '../gaze/screen.ts'
import type { AudioExcerpt } from '../inputs.ts'
import { rationalValue, type Rational } from '../media/rational.ts'
import type { GroundTruth } from '../metrics/score.ts'
import { Random } from '../random/random.ts'
import type { Tensor } from '../tensor.ts'
import { checkIndex, type TrainingSample } from './dataset.ts'
import { FaultySamples } from './faulty-samples.ts'
import { truthTable, type GazePlan, type GazeSet, type GazeTruthOptions } from './gaze-options.ts'
import type { GazeSource } from './gaze-source.ts'
import { clipSilence, clipSound, type SoundCache, type SoundSource } from './sound-source.ts'
import { drawView, drawViewed, plainView, viewedPoints, type View } from './view.ts'
import { clipFrames } from './windows.ts'

/** A still has no rate; as long as its clip lasts, silence is heard. */
const stillRate: Rational = { num: 25, den: 1 }

/** How often a camera cuts from another picture. */
const cutShare = 0.2

/** Larger than the network's frames, so that a part of a picture is as sharp as the whole. */
const zoomRoom = 1.25

/** [height, width] in which sources are read. */
export function readSize({ size, augment }: GazePlan): readonly [number, number] {
  return augment ? [Math.ceil(size[0] * zoomRoom), Math.ceil(size[1] * zoomRoom)] : size
}

/** How many frames a sample shows. */
function shownFrames({ stills, clipLength }: GazePlan): number {
  return stills ? 1 : clipLength
}

/** Pictures and videos with gaze as samples of training, and as ground truth for scoring. */
export class GazeDataset implements GazeSet {
  readonly length: number
  readonly videos: readonly string[]
  readonly #plan: GazePlan
  readonly #byName: ReadonlyMap<string, GazeSource>
  /** The sources, how many samples each has, and how many come before. */
  readonly #samples: { readonly source: GazeSource; readonly count: number; readonly before: number }[] = []
  readonly #sounds: SoundCache
  readonly #screen: GazeScreen | undefined
  readonly #faulty: FaultySamples

  /** @param screen for a sigma in degrees */
  constructor(sources: readonly GazeSource[], plan: GazePlan, sounds: SoundCache, screen: GazeScreen | undefined) {
    this.#plan = plan
    this.#screen = screen
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
    const given = readOptions<GazeTruthOptions, typeof truthTable>('options', options, truthTable)
    const viewers = given.viewers && new Set(given.viewers)
    const wanted = given.size
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
      return { density: densityOfPoints(points, size, await this.#sigma(source)), fixations: fixationMapOfPoints(points, size) }
    })
  }

  /** As a share of a source's width. */
  async #sigma(source: GazeSource): Promise<number> {
    const { sigma } = this.#plan
    if (typeof sigma === 'number') return sigma
    const [height, width] = await source.size()
    return shareOfDegrees(sigma.degrees, this.#screen!, { width, height })
  }

  #source(video: string): GazeSource {
    const source = this.#byName.get(video)
    if (source === undefined) throw invalidArgument('video', "one of the set's videos", video)
    return source
  }

  async #sample(source: GazeSource, frame: number, random: Random): Promise<TrainingSample | null> {
    const { size, fixations, augment, camera } = this.#plan
    const [height, width] = size
    const length = shownFrames(this.#plan)
    const centre = Math.floor(length / 2)
    const view = augment ? drawView(random, length, source.rate === undefined && random.chance(camera), await aspectOf(source, size)) : plainView(length)
    const points = source.points(frame)
    const seen = points && viewedPoints(points, view, centre, size)
    if (seen?.length === 0) return null
    const data = new Uint8Array(length * height * width * 3)
    await this.#draw(source, frame, view, [0, length], data)
    if (augment && source.rate === undefined && random.chance(camera * cutShare)) await this.#cut(random, data)
    const target = seen ? densityOfPoints(seen, size, await this.#sigma(source)).data : await this.#viewedMap(source, frame, view)
    if (target.every((value) => value === 0)) return null
    return {
      frames: { dtype: 'uint8', shape: [length, height, width, 3], data },
      audio: await this.#sound(source, frame, random),
      target: { dtype: 'float32', shape: [1, height, width], data: target },
      ...(fixations && seen && { fixations: fixationsOf(seen, size) }),
      video: source.name,
      frame,
    }
  }

  /** Draws frames `from` … `to` − 1 of a clip. */
  async #draw(source: GazeSource, frame: number, view: View, [from, to]: readonly [number, number], data: Uint8Array): Promise<void> {
    const { size } = this.#plan
    const bytes = size[0] * size[1] * 3
    const numbers = clipFrames(this.#answered(source, frame), shownFrames(this.#plan), source.count)
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
    drawViewed(map, { ...view, light: undefined }, Math.floor(shownFrames(this.#plan) / 2), this.#plan.size, drawn)
    return scaledToOne(drawn)
  }

  async #sound(source: GazeSource, frame: number, random: Random): Promise<AudioExcerpt> {
    const { clipLength, augment, sound: choice, sounds, soundShare } = this.#plan
    const rate = source.rate ?? stillRate
    const answered = this.#answered(source, frame)
    if (source.sound && choice === 'right') return clipSound(await source.sound(), answered, clipLength, rate, source.begin)
    if (source.sound && choice === 'silence') return clipSilence(clipLength, rate)
    if (source.sound) {
      const other = await this.#nextWithSound(source).sound!()
      // As far in it as the frame is in its video: the sounds differ in length.
      return clipSound(other, Math.floor((answered / source.count) * framesOf(other, rate)), clipLength, rate)
    }
    if (!augment || sounds.length === 0 || !random.chance(soundShare)) return clipSilence(clipLength, rate)
    const sound = await this.#sounds.open(sounds[random.below(sounds.length)]!)
    return clipSound(sound, random.below(framesOf(sound, rate)), clipLength, rate)
  }

  /** The frame that eyes at a frame answer to; a still is there all the time. */
  #answered({ rate }: GazeSource, frame: number): number {
    return rate === undefined ? frame : answeredFrame(frame, this.#plan.gazeDelay, rationalValue(rate))
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
