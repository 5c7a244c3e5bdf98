import { reading } from '../checks/options.ts'
import { integer, number, readOptions, type OptionTable } from '../checks/table.ts'
import { invalidArgument } from '../errors.ts'
import { Random } from '../random/random.ts'
import { seedOption } from '../random/seed.ts'
import type { Scores } from './score.ts'

/** How {@link bootstrap} draws. */
export interface BootstrapOptions {
  /** How often as many videos as there are are drawn, with replacement. Default 2000. */
  resamples?: number | undefined
  /** The share of resampled means that lies within the interval, 0 to 1. Default 0.95. */
  level?: number | undefined
  /** Decides what is drawn. Default 1. */
  seed?: number | undefined
}

/** What there is to know of {@link BootstrapOptions}. */
export const bootstrapTable = {
  resamples: integer(1, 1_000_000, { usual: 2000 }),
  level: number(0, 1, { usual: 0.95 }),
  seed: seedOption({ usual: 1 }),
} satisfies OptionTable<BootstrapOptions>

/** Where a mean may lie if other videos of the kind had been scored; both NaN where no video has a value. */
export interface Interval {
  /** Where it begins. */
  readonly low: number
  /** Where it ends. */
  readonly high: number
}

/**
 * Percentile bootstrap intervals of the means over videos: videos are drawn with replacement, and the mean of those drawn is taken. Frames
 * of one video are alike, so that frames are never drawn. A video without a value for a score is passed over in that score.
 *
 * @returns an interval for each score in `scores.mean`
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function bootstrap(given: Pick<Scores, 'mean' | 'videos'>, options?: BootstrapOptions): Record<keyof Scores['mean'], Interval> {
  const { resamples, level, seed } = readOptions<BootstrapOptions, typeof bootstrapTable>('options', options, bootstrapTable)
  const scores = reading('scores', 'what metrics.score gives', () => {
    const { mean, videos } = given ?? {}
    if (typeof videos !== 'object' || typeof mean !== 'object' || videos === null || mean === null)
      throw invalidArgument('scores', 'what metrics.score gives', given)
    return structuredClone({ mean: { ...mean }, videos: Object.fromEntries(Object.entries(videos).map(([video, values]) => [video, { ...values }])) })
  })
  const names = Object.keys(scores.mean) as (keyof Scores['mean'])[]
  const videos = Object.values(scores.videos)
  return Object.fromEntries(
    names.map((name) => {
      const values = videos.map((video) => video[name] ?? Number.NaN).filter((value) => typeof value === 'number' && !Number.isNaN(value))
      return [name, intervalOf(values, resamples, level, new Random(seed, 0))]
    }),
  ) as Record<keyof Scores['mean'], Interval>
}

function intervalOf(values: readonly number[], resamples: number, level: number, random: Random): Interval {
  if (values.length === 0) return { low: Number.NaN, high: Number.NaN }
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0
    for (let i = 0; i < values.length; i++) sum += values[random.below(values.length)]!
    return sum / values.length
  }).sort()
  return { low: quantile(means, (1 - level) / 2), high: quantile(means, (1 + level) / 2) }
}

/** The value below which a share of sorted values lies, between two of them in proportion. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1)
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!]
  // Of two infinite ones there is nothing between.
  return above === below || at === Math.floor(at) ? below : below + (above - below) * (at - Math.floor(at))
}
