import { checkInteger, checkIterable, checkList, checkNumber, isList, reading } from '../checks/options.ts'
import { DiffSalError, invalidArgument } from '../errors.ts'
import type { VideoMap } from '../predict-video.ts'
import { checkTensor } from '../tensor.ts'
import { isHighestAt } from './maps.ts'
import type { SceneTrack, TrackedFrame } from './render.ts'

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
  readonly #track: Pick<SceneTrack, 'size' | 'frames' | 'shapes'>
  #maps = 0
  #hits = 0

  /** @param track what `renderScene` wrote as the scene's track */
  constructor(track: SceneTrack) {
    this.#track = reading('track', "a scene's track", () => {
      if (!isList(track?.frames) || !isList(track.shapes)) throw invalidArgument('track', "a scene's track", track)
      const size = checkList('track.size', track.size, '[height, width]', 2, 2).map((side, i) => checkInteger(`track.size[${i}]`, side, 1)) as [number, number]
      return { size, frames: track.frames, shapes: track.shapes }
    })
  }

  /** @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where the scene has no such frame */
  add(map: Pick<VideoMap, 'frame' | 'tensor'>): void {
    const { frame, given } = reading('maps', 'objects with frame and tensor', () => {
      if (typeof map !== 'object' || map === null) throw invalidArgument('maps', 'objects with frame and tensor', map)
      return { frame: checkInteger('maps.frame', map.frame, 0), given: map.tensor }
    })
    const tensor = checkTensor('maps.tensor', given, ['float32'])
    const { size, frames } = this.#track
    const truth = frames[frame]
    if (truth === undefined) {
      const message = `The scene has ${frames.length} frames, but a map of frame ${frame} came: the maps are of another video.`
      throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', message, { argument: 'maps' })
    }
    const { centres, sounding } = readFrame(`track.frames[${frame}]`, truth)
    const [height, width] = tensor.shape.slice(-2) as [number, number]
    const places = centres.map(([x, y]) => [(x * width) / size[1], (y * height) / size[0]] as const)
    this.#maps += 1
    if (isHighestAt(tensor.data, [height, width], places, sounding)) this.#hits += 1
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
  for await (const map of checkIterable('maps', maps)) follower.add(map)
  return follower.result
}

/** A frame of a track, which may have been read from a file that somebody else wrote. */
function readFrame(argument: string, given: TrackedFrame): TrackedFrame {
  const coordinates = (name: string, centre: unknown): [number, number] =>
    checkList(name, centre, '[x, y]', 2, 2).map((value, i) => checkNumber(`${name}[${i}]`, value, -1e6, 1e6)) as [number, number]
  return reading(argument, 'where the shapes are', () => {
    const centres = checkList(`${argument}.centres`, given?.centres, 'a centre for each shape', 1, 64)
    return {
      sounding: checkInteger(`${argument}.sounding`, given.sounding, 0, centres.length - 1),
      centres: centres.map((centre, i) => coordinates(`${argument}.centres[${i}]`, centre)),
    }
  })
}
