import { checkInteger, checkStrings, reading } from '../checks/options.ts'
import { integer, readOptions, type OptionTable } from '../checks/table.ts'
import { invalidArgument } from '../errors.ts'
import { Mean } from '../metrics/mean.ts'
import { aucJudd, cc, informationGain, kl, nss, shuffledAuc, sim, type FixationTensor, type MapTensor, type MetricResult } from '../metrics/metrics.ts'
import { scoreTable, type ExtraScoreName, type ScoreName, type ScoreOptions } from '../metrics/score.ts'
import { Random } from '../random/random.ts'
import { seedOption } from '../random/seed.ts'
import { mapSize } from './dataset-options.ts'
import type { GazeSet } from './gaze-options.ts'

/** How {@link halfAgainstHalf} measures. */
export interface HalvesOptions extends Pick<ScoreOptions, 'others' | 'baseline'> {
  /** Into how many random halves the viewers of each frame's video are parted, one after the other. Default 5. */
  halvings?: number | undefined
  /** Frames of each video, evenly spaced; of a shorter one, all. Default 12. */
  frames?: number | undefined
  /** [height, width] of the maps. Default: each video's own. */
  size?: readonly [number, number] | undefined
  /** Decides the halves. Default 1. */
  seed?: number | undefined
}

/** What there is to know of {@link HalvesOptions}. */
export const halvesTable = {
  halvings: integer(1, 10_000, { usual: 5 }),
  frames: integer(1, undefined, { usual: 12 }),
  size: mapSize,
  seed: seedOption({ usual: 1 }),
  others: scoreTable.others,
  baseline: scoreTable.baseline,
} satisfies OptionTable<HalvesOptions>

/** The scores of maps made of half of the viewers; NaN where none could be had. The extra ones where `others` and `baseline` say against what. */
export type HalvesScores = Readonly<Record<ScoreName, number> & Partial<Record<ExtraScoreName, number>>>

/** What {@link halfAgainstHalf} measured. */
export interface Halves {
  /** Means over the videos. */
  readonly mean: HalvesScores
  /** Means over the frames and halvings of each video. */
  readonly videos: Readonly<Record<string, HalvesScores>>
  /** Frames in which each half looked. */
  readonly frames: number
}

type Means = Map<ScoreName | ExtraScoreName, Mean>

/**
 * How well half of the viewers tell where the other half looks: the first's density as a map, the second's gaze as the truth. It is what a
 * model can at most be expected to reach. The maps are compared as they are, without the smoothing of published scores.
 *
 * @returns means over frames and halvings of each video, and over the videos; videos with maps in place of gaze, or one viewer, are left out
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, and what the set throws
 */
export async function halfAgainstHalf(set: Pick<GazeSet, 'videos' | 'frames' | 'viewers' | 'truth'>, options?: HalvesOptions): Promise<Halves> {
  const given = readOptions<HalvesOptions, typeof halvesTable>('options', options, halvesTable)
  const { halvings, frames, seed } = given
  const named = videosOf(set, ['frames', 'viewers', 'truth'])
  const names = [
    ...(['cc', 'sim', 'nss', 'aucJudd', 'kl'] as const),
    ...(given.others ? ['shuffledAuc' as const] : []),
    ...(given.baseline ? ['informationGain' as const] : []),
  ]
  const newMeans = (): Means => new Map(names.map((name) => [name, new Mean()]))
  const videos: Record<string, HalvesScores> = {}
  let scored = 0
  for (const [place, video] of named.entries()) {
    const viewers = checkStrings('set.viewers(video)', set.viewers(video), true)
    if (viewers.length < 2) continue
    const means = newMeans()
    const random = new Random(seed, place)
    for (const frame of evenlySpaced(framesOf(set, video), frames)) {
      let both = false
      for (let i = 0; i < halvings; i++) {
        const [one, other] = halves(viewers, random)
        const map = (await set.truth(video, frame, { viewers: one, size: given.size }))?.density
        const truth = await set.truth(video, frame, { viewers: other, size: given.size })
        if (map === undefined || truth?.density === undefined || truth.fixations === undefined) continue
        both = true
        add(means, await scoresOf(map, { density: truth.density, fixations: truth.fixations }, video, frame, given))
      }
      scored += Number(both)
    }
    videos[video] = valuesOf(means)
  }
  const overall = newMeans()
  for (const one of Object.values(videos)) add(overall, one)
  return { mean: valuesOf(overall), videos, frames: scored }
}

async function scoresOf(
  map: MapTensor,
  { density, fixations }: { density: MapTensor; fixations: FixationTensor },
  video: string,
  frame: number,
  { others, baseline }: HalvesOptions,
): Promise<Partial<HalvesScores>> {
  const size = density.shape.slice(-2) as [number, number]
  const [negatives, from] = [await others?.(video, frame, size), await baseline?.(video, frame, size)]
  const results: Partial<Record<ScoreName | ExtraScoreName, Promise<MetricResult>>> = {
    ...{ cc: cc(map, density), sim: sim(map, density), nss: nss(map, fixations), aucJudd: aucJudd(map, fixations), kl: kl(map, density) },
    ...(negatives && { shuffledAuc: shuffledAuc(map, fixations, negatives) }),
    ...(from && { informationGain: informationGain(map, fixations, from) }),
  }
  return Object.fromEntries(await Promise.all(Object.entries(results).map(async ([name, result]) => [name, (await result).mean] as const)))
}

function add(means: Means, values: Partial<HalvesScores>): void {
  for (const [name, mean] of means) {
    const value = values[name]
    if (value !== undefined && !Number.isNaN(value)) mean.add(value)
  }
}

/**
 * The videos of a set that has the methods named.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function videosOf(set: Pick<GazeSet, 'videos'>, methods: readonly ('frames' | 'points' | 'viewers' | 'truth')[]): string[] {
  const expected = 'what openGaze gives'
  const whole = reading('set', expected, () => methods.every((name) => typeof (set as Partial<GazeSet> | null)?.[name] === 'function'))
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

function valuesOf(means: Means): HalvesScores {
  return Object.fromEntries([...means].map(([name, { value }]) => [name, value])) as HalvesScores
}
