import { native, type NativeScene, type NativeSceneOptions } from '../addon/native.ts'
import { integer, number, readOptions, type OptionTable } from '../checks/table.ts'
import type { GroundTruth } from '../metrics/score.ts'
import { mostSceneSamples, sceneStyle, sceneTable, shapeKinds, type SceneOptions, type ShapeKind } from '../scenes/options.ts'
import { datasetTable, type Split } from './dataset-options.ts'
import { checkIndex, type SaliencyDataset, type TrainingSample } from './dataset.ts'

/** Which sounding scenes. */
export interface SoundingScenesOptions extends SceneOptions {
  /** Which part: no scene is in two of them, whatever the seeds. Default 'train'. */
  split?: Split | undefined
  /** How many scenes, up to 10 million. Default 100000 of the split 'train', 500 of the others. */
  length?: number | undefined
  /** In how many of the clips, 0 to 1, another shape begins to sound. Default 1/3. */
  changes?: number | undefined
  /** Frames in a clip. Default 16. */
  clipLength?: number | undefined
  /** Whether samples carry the fixations too. Default false; `truth` always has them. */
  fixations?: boolean | undefined
}

const { split, clipLength, fixations } = datasetTable<Split>(['train', 'validation', 'test'])

/** Each of {@link SoundingScenesOptions}. */
export const soundingScenesTable = {
  ...sceneTable,
  ...{ split, clipLength, fixations },
  length: integer(1, mostSceneSamples),
  changes: number(0, 1, { usual: 1 / 3 }),
} satisfies OptionTable<SoundingScenesOptions>

/** A shape in the frame whose map it is. */
export interface SceneShape {
  /** Its outline. */
  readonly kind: ShapeKind
  /** 0 to `hues` - 1. Its pitch is `pitchOf(hue, hues)`. */
  readonly hue: number
  /** Its centre in pixels from the picture's left edge. */
  readonly x: number
  /** Its centre in pixels from the picture's upper edge. */
  readonly y: number
  /** Its radius in pixels, as far as it has swollen. */
  readonly radius: number
}

/** A clip of a sounding scene, with what is to be known of it. */
export interface SceneSample extends TrainingSample {
  /** From the back to the front. */
  readonly shapes: readonly SceneShape[]
  /** Which of `shapes` sounds in the frame whose map it is. */
  readonly sounding: number
  /** Which of `shapes` sounds in each frame of the clip. */
  readonly soundingByFrame: readonly number[]
}

/** Sounding scenes by number. A video is called `scenes-0/test/12`: the seed, the split, the number. */
export interface SceneDataset extends SaliencyDataset {
  get(index: number): Promise<SceneSample>
  /** As `get`, without pictures and sound: what was true, at a fraction of the time. */
  describe(index: number): Promise<Omit<SceneSample, 'frames' | 'audio'>>
}

/**
 * Sounding scenes: a benchmark of whether a model listens, made as it is read. Two to four textured shapes of different hues move over
 * a textured background, thrown back by the edges and by one another; at each moment one of them sounds; in a third of the clips
 * another one begins to within the clip. The map of a clip is a Gaussian at the centre of the shape that sounds in its (T / 2 + 1)th
 * frame, of height 1 and of a standard deviation of a tenth of the picture's height; its 20 fixations are different pixels drawn from it.
 *
 * Two cues join sound and picture. `pitch`: every hue has a pitch of its own, a harmonic tone, at equal ratios from 150 to 6000 Hz; without
 * it all sound at 949 Hz. `loudness`: the tone is as loud as its shape is large and bright; without it the loudness follows a rhythm
 * that no shape has. All shapes pulse always, each to a rhythm of its own (1.7 to 5.8 pulses a second, drawn from the same law), and which
 * sounds is drawn apart from everything that is seen: the pictures alone tell nothing of it.
 *
 * What can be scored. The CC of a map m with the true map is the inner product of the two, each standardised. So its mean is greatest
 * for m proportional to E[g | what the model knows], g the standardised true map, and is then that mean's length.
 *
 * - From the pictures alone all n shapes are equally likely: m is the mean of their n Gaussians, the CC √((1 + (n − 1) ρ) / n), where
 *   ρ is the mean correlation of two of the Gaussians: about 1/√n. (Where none overlap, ρ = −a / (1 − a) with a = 4πσ² / area:
 *   −0.09 at 3 : 2.) For 2 to 4 shapes the mean of the three holds. NSS and AUC are greatest for the same map, but for the little that
 *   the picture's edges cut off.
 * - From the sound alone the place is unknown: m is the mean of the Gaussian over all places that shapes take, a hill in the middle.
 *
 * `scoreSceneBaselines` measures both.
 *
 * Every sample is a pure function of the seed, the split, its number and the options, the same on every machine but for the last bit of
 * pixels and samples. `get` draws on a few threads of the addon, so that several at once take the time of one.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT.
 */
export function soundingScenes(options?: SoundingScenesOptions): SceneDataset {
  const read = readOptions<SoundingScenesOptions, typeof soundingScenesTable>('options', options, soundingScenesTable)
  const { split, changes, clipLength, fixations, length = split === 'train' ? 100_000 : 500 } = read
  const style: Omit<NativeSceneOptions, 'index'> = {
    ...sceneStyle(read),
    domain: { train: 0, test: 1, validation: 3 }[split],
    changes,
    frames: clipLength,
  }
  const prefix = `scenes-${style.seed}/${split}/`
  const frame = Math.floor(clipLength / 2)

  const describe = (index: number, drawn: NativeScene): Omit<SceneSample, 'frames' | 'audio'> => ({
    target: drawn.target!,
    ...(fixations && { fixations: drawn.fixations! }),
    video: `${prefix}${index}`,
    frame,
    shapes: shapesAt(drawn, frame),
    sounding: drawn.sounding[frame]!,
    soundingByFrame: drawn.sounding,
  })
  const draw = (index: number, media: boolean): Promise<NativeScene> =>
    native().scene({ ...style, index }, { from: 0, to: clipLength, frames: media, sound: media, truth: frame }, undefined)

  return {
    length,
    numbered: { prefix, count: length },
    get videos() {
      return Array.from({ length }, (_, index) => `${prefix}${index}`)
    },
    async get(index) {
      const drawn = await draw(checkIndex(index, length), true)
      return { frames: drawn.frames!, audio: { samples: drawn.samples!.data, sampleRate: 16_000 }, ...describe(index, drawn) }
    },
    async describe(index) {
      return describe(index, await draw(checkIndex(index, length), false))
    },
    async truth(video, at): Promise<GroundTruth | undefined> {
      const number = typeof video === 'string' && video.startsWith(prefix) ? video.slice(prefix.length) : ''
      const index = Number(number)
      if (String(index) !== number || !Number.isInteger(index) || index < 0 || index >= length || at !== frame) return undefined
      const { target, fixations: fixated } = await draw(index, false)
      const plane = [style.height, style.width]
      return { density: { ...target!, shape: plane }, fixations: { ...fixated!, shape: plane } }
    },
  }
}

/** The shapes in one of the frames that were drawn. */
function shapesAt({ kinds, hues, track }: NativeScene, frame: number): SceneShape[] {
  return kinds.map((kind, i) => {
    const [x, y, radius] = track.data.subarray((frame * kinds.length + i) * 3) as unknown as [number, number, number]
    return { kind: shapeKinds[kind]!, hue: hues[i]!, x, y, radius }
  })
}
