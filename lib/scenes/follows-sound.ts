import { DiffSalError, invalidArgument } from '../errors.ts'
import type { VideoMap } from '../predict-video.ts'
import { isHighestAt } from './maps.ts'
import type { SceneTrack } from './render.ts'

/** How well maps keep to the shape that sounds. */
export interface SoundFollowing {
  /** Maps that were looked at. */
  readonly maps: number
  /** How many of them are higher at the centre of the shape that sounds than at each other shape's. */
  readonly hits: number
  /** What a guess would hit, as a share: 1 / n for n shapes. */
  readonly chance: number
}

/** Counts, map by map, whether the maps of a rendered scene are where its sound is. */
export class SoundFollower {
  readonly #track: SceneTrack
  #maps = 0
  #hits = 0

  /** @param track what `renderScene` wrote as the scene's track */
  constructor(track: SceneTrack) {
    if (!Array.isArray(track?.frames)) throw invalidArgument('track', "a scene's track", track)
    this.#track = track
  }

  /** @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where the scene has no such frame */
  add({ frame, tensor }: Pick<VideoMap, 'frame' | 'tensor'>): void {
    const { size, frames } = this.#track
    const truth = frames[frame]
    if (truth === undefined) {
      throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `The scene has ${frames.length} frames, but a map of frame ${frame} came: the maps are of another video.`, { argument: 'maps' })
    }
    const [height, width] = tensor.shape.slice(-2) as [number, number]
    const places = truth.centres.map(([x, y]) => [(x * width) / size[1], (y * height) / size[0]] as const)
    this.#maps += 1
    if (isHighestAt(tensor.data, [height, width], places, truth.sounding)) this.#hits += 1
  }

  get result(): SoundFollowing {
    return { maps: this.#maps, hits: this.#hits, chance: 1 / this.#track.shapes.length }
  }
}

/**
 * In how many frames of a rendered scene a model's map is highest at the shape that sounds:
 * `followsSound(track, model.predictVideo('scene.mp4'))`. The sound that a map is predicted from reaches 0.3 s to either side of its frame
 * at 25 frames a second, so that a few frames around each change are undecided even for a perfect model.
 *
 * @param track what `renderScene` wrote as the scene's track
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, and what the maps throw
 */
export async function followsSound(
  track: SceneTrack,
  maps: AsyncIterable<Pick<VideoMap, 'frame' | 'tensor'>> | Iterable<Pick<VideoMap, 'frame' | 'tensor'>>,
): Promise<SoundFollowing> {
  const follower = new SoundFollower(track)
  for await (const map of maps) follower.add(map)
  return follower.result
}
