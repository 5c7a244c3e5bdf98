import { integer, readOptions, type OptionTable } from '../checks/table.ts'
import { fixationMapOfPoints, type GazePoint } from '../gaze/points.ts'
import { centreGaussian, fitCentreGaussian } from '../metrics/constant-maps.ts'
import type { FixationTensor, MapTensor } from '../metrics/metrics.ts'
import type { ScoreOptions } from '../metrics/score.ts'
import type { GazeSet } from './gaze-options.ts'
import { evenlySpaced, framesOf, videosOf } from './gaze-halves.ts'

/** How {@link gazeBaselines} looks at a set. */
export interface GazeBaselinesOptions {
  /** Frames of each video, evenly spaced; of a shorter one, all. Default 12. */
  frames?: number | undefined
  /** Of how many other videos the fixations count as negatives. Default 10. */
  others?: number | undefined
}

/** What there is to know of {@link GazeBaselinesOptions}. */
export const gazeBaselinesTable = {
  frames: integer(1, undefined, { usual: 12 }),
  others: integer(1, undefined, { usual: 10 }),
} satisfies OptionTable<GazeBaselinesOptions>

/** The centre Gaussian is fitted on maps of this size [height, width]: it is so smooth that more pixels change nothing. */
const fittedSize = [48, 64] as const

/**
 * What shuffled AUC and information gain of a set are measured against: the fixations of other videos of the set, evenly spaced over it, and
 * the centre Gaussian whose mean CC with the set's maps is greatest. Spread it into the options of `metrics.score` or `model.evaluate`.
 *
 * @returns `baseline`; and `others`, where at least two videos have gaze rather than maps
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, also where no frame of the set has a truth, and what the set throws
 */
export async function gazeBaselines(
  set: Pick<GazeSet, 'videos' | 'frames' | 'points' | 'truth'>,
  options?: GazeBaselinesOptions,
): Promise<Required<Pick<ScoreOptions, 'baseline'>> & Pick<ScoreOptions, 'others'>> {
  const videos = videosOf(set, ['frames', 'points', 'truth'])
  const { frames, others: most } = readOptions<GazeBaselinesOptions, typeof gazeBaselinesTable>('options', options, gazeBaselinesTable)
  const centre = await fitCentreGaussian(densities(set, videos, frames))
  const baseline = kept((height, width): MapTensor => centreGaussian(height, width, centre))
  const looked = videos.filter((video) => set.points(video, 0) !== undefined)
  if (looked.length < 2) return { baseline: (_, __, size) => baseline(size, '') }
  const points = new Map(looked.map((video) => [video, pointsOf(set, video, frames)]))
  const negatives = kept((height, width, video): FixationTensor => {
    const others = looked.filter((other) => other !== video)
    const chosen = evenlySpaced(others.length, most).flatMap((place) => points.get(others[place]!)!)
    return fixationMapOfPoints(chosen, [height, width])
  })
  return { baseline: (_, __, size) => baseline(size, ''), others: (video, _, size) => negatives(size, video) }
}

async function* densities(set: Pick<GazeSet, 'videos' | 'frames' | 'truth'>, videos: readonly string[], frames: number): AsyncGenerator<MapTensor> {
  for (const video of videos) {
    for (const frame of evenlySpaced(framesOf(set, video), frames)) {
      const truth = await set.truth(video, frame, { size: fittedSize })
      if (truth?.density) yield truth.density
    }
  }
}

function pointsOf(set: Pick<GazeSet, 'frames' | 'points'>, video: string, frames: number): GazePoint[] {
  return evenlySpaced(framesOf(set, video), frames).flatMap((frame) => set.points(video, frame) ?? [])
}

/** What is made of a size and a video, kept until another is asked for: a video's frames come one after the other. */
function kept<T>(make: (height: number, width: number, video: string) => T): (size: readonly [number, number], video: string) => T {
  let last: { readonly key: string; readonly value: T } | undefined
  return ([height, width], video) => {
    const key = `${height} ${width} ${video}`
    if (last?.key !== key) last = { key, value: make(height, width, video) }
    return last.value
  }
}
