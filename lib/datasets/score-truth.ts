import { DiffSalError } from '../errors.ts'
import { densityOfPoints, fixationMapOfPoints } from '../gaze/points.ts'
import type { GazeRecording } from '../gaze/recording.ts'
import type { MapTensor } from '../metrics/metrics.ts'
import type { VideoMaps } from './map-files.ts'
import type { GazeSet } from './gaze-options.ts'

/** What maps are scored against: the part of a dataset that scoring asks. */
export type ScoredTruth = Pick<GazeSet, 'videos' | 'frames' | 'viewers' | 'points' | 'truth'>

/** What {@link recordedTruth} makes it of. */
export interface RecordedTruth {
  /** What the video is called. */
  readonly video: string
  readonly gaze: GazeRecording
  /** Frames a second. */
  readonly rate: number
  /** Seconds at which frame 0 is shown. */
  readonly begin: number
  /** How many frames the video has. */
  readonly frames: number
  /** [height, width] of the truth. */
  readonly size: readonly [number, number]
  /** Of the Gaussian on each place, as a share of the width. */
  readonly sigma: number
  /** Density maps by frame, in place of those of the gaze. */
  readonly densities?: ReadonlyMap<number, MapTensor> | undefined
}

/** The truth of one video, by a recording of its viewers. */
export function recordedTruth({ video, gaze, rate, begin, frames, size: own, sigma, densities }: RecordedTruth): ScoredTruth {
  const at = (frame: number) => gaze.at((begin + frame / rate) * 1000)
  return {
    videos: [video],
    frames: () => frames,
    viewers: () => gaze.viewers.toSorted(),
    points: (_, frame) => at(frame),
    async truth(name, frame, options) {
      if (name !== video) return undefined
      const { viewers, size = own } = options ?? {}
      const points = viewers === undefined ? at(frame) : at(frame).filter(({ viewer }) => viewers.includes(viewer))
      const density = viewers === undefined && size[0] === own[0] && size[1] === own[1] ? densities?.get(frame) : undefined
      if (points.length === 0) return density && { density }
      return { density: density ?? densityOfPoints(points, size, sigma), fixations: fixationMapOfPoints(points, size) }
    },
  }
}

/** All maps of a video in memory, for the truth; refuses sizes that differ. */
export async function mapsByFrame(
  maps: VideoMaps,
  frameOf: (place: number) => number,
): Promise<{ maps: Map<number, MapTensor>; size: readonly [number, number] }> {
  const all = new Map<number, MapTensor>()
  let size: readonly [number, number] | undefined
  for await (const { place, map } of maps.maps()) {
    const [height, width] = map.shape as [number, number]
    size ??= [height, width]
    if (height !== size[0] || width !== size[1]) {
      throw new DiffSalError(
        'ERR_DIFFSAL_FILE',
        `The truth's maps of '${maps.name}' differ in size: map ${place} has ${height} × ${width}, those before it ${size.join(' × ')}.`,
        { argument: maps.name },
      )
    }
    all.set(frameOf(place), map)
  }
  return { maps: all, size: size! }
}
