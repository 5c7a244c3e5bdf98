import { join } from 'node:path'
import { evenlySpaced } from '../lib/datasets/gaze-halves.ts'
import { datasets, type GroundTruth, type MapTensor, type ScoreOptions } from '../lib/index.ts'

type Options = NonNullable<Parameters<typeof datasets.openGaze>[1]>

/** What is scored, and on what a centre Gaussian and a mean map are fitted for it. */
interface SetPlan {
  /** Folder and options of what is scored, of the split 'validation'. */
  readonly scored: readonly [string, Options]
  /** Of what is trained on, of the split 'train'. */
  readonly trained: readonly [string, Options]
}

const scenes = { heldOut: ['Cactus', 'Tennis', 'Female', 'Vidyo3', 'BasketballPass', 'ParkScene'] }
const tenth = { heldOut: 10 }
const pictures = (name: string, options: Options): SetPlan => ({ scored: [`images/${name}`, options], trained: [`images/${name}`, options] })

/** Every set of the tables. Those without options among the pictures are parted by folders. */
const plans: Readonly<Record<string, SetPlan>> = {
  mufvet: { scored: ['videos/mufvet', {}], trained: ['videos/buaa', scenes] },
  buaa: { scored: ['videos/buaa', scenes], trained: ['videos/buaa', scenes] },
  osie: pictures('osie', tenth),
  eyecrowd: pictures('eyecrowd', tenth),
  scene500: pictures('scene500', tenth),
  omron: pictures('omron', {}),
  cat2000: pictures('cat2000', {}),
}

export const setNames = Object.keys(plans)

/** A picture or a video's frame. */
export interface Place {
  readonly video: string
  readonly frame: number
}

/** A set with the frames of it that every row is scored on, and their truths, each made once. */
export class GazeBench {
  readonly name: string
  readonly set: datasets.GazeSet
  places: readonly Place[]
  readonly #training: datasets.GazeSet
  readonly #amount: Amount
  readonly #truths = new Map<string, Promise<GroundTruth | undefined>>()
  readonly #before = new Map<string, number>()

  private constructor(name: string, set: datasets.GazeSet, training: datasets.GazeSet, amount: Amount) {
    this.name = name
    this.set = set
    this.#training = training
    this.#amount = amount
    this.places = places(set, amount.frames, amount.pictures)
    let before = 0
    for (const video of set.videos) {
      this.#before.set(video, before)
      before += set.frames(video)
    }
  }

  /** @param form the size and clip length that the model sees */
  static async open(name: string, root: string, form: Options, amount: Amount): Promise<GazeBench> {
    const { scored, trained } = plans[name]!
    const set = await datasets.openGaze(join(root, scored[0]), { ...form, ...scored[1], split: 'validation' })
    const training = await datasets.openGaze(join(root, trained[0]), { ...form, ...trained[1], split: 'train', windows: 'test', stride: 1 })
    return new GazeBench(name, set, training, amount)
  }

  /** The same set, its videos heard with another sound. */
  async hearing(sound: 'silence' | 'other', root: string, form: Options): Promise<datasets.GazeSet> {
    const [folder, options] = plans[this.name]!.scored
    return datasets.openGaze(join(root, folder), { ...form, ...options, split: 'validation', sound })
  }

  /** Leaves a place out of all rows that are made from now on. */
  drop(place: Place): void {
    this.places = this.places.filter((one) => one !== place)
  }

  /** Which sample of the set a place is. */
  index({ video, frame }: Place): number {
    return this.#before.get(video)! + frame
  }

  truth = (video: string, frame: number): Promise<GroundTruth | undefined> => {
    const key = `${frame} ${video}`
    const known = this.#truths.get(key) ?? this.set.truth(video, frame, { size: this.#amount.size })
    this.#truths.set(key, known)
    return known
  }

  /** Densities of evenly spaced frames of the training set, at most 300 pictures. */
  async *trained(size: readonly [number, number]): AsyncGenerator<MapTensor> {
    for (const { video, frame } of places(this.#training, this.#amount.frames, 300)) {
      const truth = await this.#training.truth(video, frame, { size })
      if (truth?.density) yield truth.density
    }
  }

  /** Negatives of shuffled AUC: what was fixated in ten other videos or pictures of the set. */
  async others(): Promise<ScoreOptions['others']> {
    return (await datasets.gazeBaselines(this.set, { frames: this.#amount.frames })).others
  }

  /** Half of the viewers against the other half, on the chosen frames; undefined where maps tell in place of gaze. */
  async halves(halvings: number): Promise<datasets.Halves | undefined> {
    const { set } = this
    if (set.videos.every((video) => set.viewers(video).length < 2)) return undefined
    const chosen = new Map<string, number[]>()
    for (const { video, frame } of this.places) chosen.set(video, [...(chosen.get(video) ?? []), frame])
    const watched: Parameters<typeof datasets.halfAgainstHalf>[0] = {
      videos: [...chosen.keys()],
      frames: (video) => chosen.get(video)!.length,
      viewers: (video) => set.viewers(video),
      truth: (video, i, options) => set.truth(video, chosen.get(video)![i]!, options),
    }
    return datasets.halfAgainstHalf(watched, { frames: this.#amount.frames, size: this.#amount.size, halvings })
  }
}

/** How much is scored, and at what size the maps are compared. */
export interface Amount {
  /** Of each video. */
  readonly frames: number
  /** Of each set. */
  readonly pictures: number
  readonly size: readonly [number, number]
}

/** So many frames of each video, or so many pictures in all. */
function places(set: datasets.GazeSet, frames: number, pictures: number): Place[] {
  const stills = set.videos.every((video) => set.frames(video) === 1)
  if (stills) return evenlySpaced(set.videos.length, pictures).map((i) => ({ video: set.videos[i]!, frame: 0 }))
  return set.videos.flatMap((video) => evenlySpaced(set.frames(video), frames).map((frame) => ({ video, frame })))
}
