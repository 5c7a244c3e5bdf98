import { checkInteger, checkOptions, checkStrings, reading } from '../checks/options.ts'
import { invalidArgument } from '../errors.ts'
import { Mean } from '../metrics/mean.ts'
import { aucJudd, cc, nss, sim } from '../metrics/metrics.ts'
import { Random } from '../random/random.ts'
import { checkSeed } from '../random/seed.ts'
import type { GazeSet } from './gaze-dataset.ts'

/** How {@link halfAgainstHalf} measures. */
export interface HalvesOptions {
  /** Into how many random halves the viewers of each frame's video are parted, one after the other. Default 5. */
  halvings?: number | undefined
  /** Frames of each video, evenly spaced; of a shorter one, all. Default 12. */
  frames?: number | undefined
  /** [height, width] of the maps. Default: each video's own. */
  size?: readonly [number, number] | undefined
  /** Decides the halves. Default 1. */
  seed?: number | undefined
}

const names = ['cc', 'sim', 'nss', 'aucJudd'] as const
/** The scores of maps made of half of the viewers; NaN where none could be had. */
export type HalvesScores = Readonly<Record<'cc' | 'sim' | 'nss' | 'aucJudd', number>>

/** What {@link halfAgainstHalf} measured. */
export interface Halves {
  /** Means over the videos. */
  readonly mean: HalvesScores
  /** Means over the frames and halvings of each video. */
  readonly videos: Readonly<Record<string, HalvesScores>>
}

/**
 * How well half of the viewers tell where the other half looks: the first's density as a map, the second's gaze as the truth. It is what a
 * model can at most be expected to reach. The maps are compared as they are, without the smoothing of published scores.
 *
 * @returns means over frames and halvings of each video, and over the videos; videos with maps in place of gaze, or one viewer, are left out
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, and what the set throws
 */
export async function halfAgainstHalf(set: Pick<GazeSet, 'videos' | 'frames' | 'viewers' | 'truth'>, options?: HalvesOptions): Promise<Halves> {
  const named = videosOf(set)
  const given = checkOptions<HalvesOptions>('options', options, ['halvings', 'frames', 'size', 'seed'])
  const halvings = checkInteger('halvings', given.halvings ?? 5, 1, 10_000)
  const frames = checkInteger('frames', given.frames ?? 12, 1)
  const seed = checkSeed('seed', given.seed ?? 1)
  const videos: Record<string, HalvesScores> = {}
  for (const [place, video] of named.entries()) {
    const viewers = checkStrings('set.viewers(video)', set.viewers(video), true)
    if (viewers.length < 2) continue
    const means = newMeans()
    const random = new Random(seed, place)
    for (const frame of evenlySpaced(framesOf(set, video), frames)) {
      for (let i = 0; i < halvings; i++) {
        const [one, other] = halves(viewers, random)
        const map = (await set.truth(video, frame, { viewers: one, size: given.size }))?.density
        const truth = await set.truth(video, frame, { viewers: other, size: given.size })
        if (map === undefined || truth?.density === undefined || truth.fixations === undefined) continue
        const scores = await Promise.all([cc(map, truth.density), sim(map, truth.density), nss(map, truth.fixations), aucJudd(map, truth.fixations)])
        names.forEach((name, k) => Number.isNaN(scores[k]!.mean) || means[name].add(scores[k]!.mean))
      }
    }
    videos[video] = valuesOf(means)
  }
  const overall = newMeans()
  for (const one of Object.values(videos)) for (const name of names) if (!Number.isNaN(one[name])) overall[name].add(one[name])
  return { mean: valuesOf(overall), videos }
}

/**
 * The videos of a set, whose methods are there.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function videosOf(set: Pick<GazeSet, 'videos' | 'frames' | 'viewers' | 'truth'>): string[] {
  const expected = 'what openGaze gives'
  const whole = reading('set', expected, () => (['frames', 'viewers', 'truth'] as const).every((name) => typeof set?.[name] === 'function'))
  if (!whole) throw invalidArgument('set', expected, set)
  return checkStrings('set.videos', set.videos)
}

/** How many frames a video of a set has. */
export function framesOf(set: Pick<GazeSet, 'frames'>, video: string): number {
  return checkInteger('set.frames(video)', set.frames(video), 0)
}

/** So many frames of a video, the same way apart, each in the middle of its part. */
export function evenlySpaced(count: number, wanted: number): number[] {
  const frames = Math.min(count, wanted)
  return Array.from({ length: frames }, (_, i) => Math.floor(((i + 0.5) * count) / frames))
}

function halves(viewers: readonly string[], random: Random): [string[], string[]] {
  const order = [...viewers]
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  const middle = Math.floor(order.length / 2)
  return [order.slice(0, middle), order.slice(middle)]
}

function newMeans(): Record<(typeof names)[number], Mean> {
  return { cc: new Mean(), sim: new Mean(), nss: new Mean(), aucJudd: new Mean() }
}

function valuesOf(means: Readonly<Record<(typeof names)[number], Mean>>): HalvesScores {
  return { cc: means.cc.value, sim: means.sim.value, nss: means.nss.value, aucJudd: means.aucJudd.value }
}
