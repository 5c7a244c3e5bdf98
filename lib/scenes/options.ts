import type { NativeSceneOptions } from '../addon/native.ts'
import { checkChoice, checkInteger, checkList } from '../checks/options.ts'
import { invalidArgumentText } from '../errors.ts'
import { checkSeed } from '../random/seed.ts'

/** What tells which shape sounds: every hue has a pitch of its own; the sounding shape pulses with its loudness. */
export type SceneCue = 'pitch' | 'loudness'

/** The kinds of shapes, in the addon's order. */
export const shapeKinds = ['disc', 'square', 'triangle', 'star', 'ring', 'cross'] as const

/** One of {@link shapeKinds}. */
export type ShapeKind = (typeof shapeKinds)[number]

/** What scenes are like. */
export interface SceneOptions {
  /** Decides everything, together with the scene's number. Default 0. */
  seed?: number | undefined
  /** How many shapes, from … to, 2 to 6, each number as likely as the others. Default [2, 4]. */
  shapes?: readonly [number, number] | undefined
  /** How many hues there are, at equal steps around the colour wheel, 3 to 8, no two shapes of a scene alike. Default 6. */
  hues?: number | undefined
  /** Which cues there are. None: sound and picture have nothing in common. Default both. */
  cues?: readonly SceneCue[] | undefined
  /** [height, width] in pixels, 32 to 2160, the width from half the height to four times it. Default [224, 384]. */
  size?: readonly [number, number] | undefined
  /** Frames a second, an integer from 8 to 120. Default 25. */
  fps?: number | undefined
}

/** {@link SceneOptions}' names, for those who take more. */
export const sceneOptionNames = ['seed', 'shapes', 'hues', 'cues', 'size', 'fps'] as const

/** The parts of the addon's options that say what scenes are like. */
export type SceneStyle = Omit<NativeSceneOptions, 'domain' | 'index' | 'changes' | 'frames'>

/** How many scenes a seed has: the numbers of scenes are below. */
export const mostScenes = 2 ** 30

/** How many of them a dataset has at most: its videos can be listed. */
export const mostSceneSamples = 10_000_000

/** Checks {@link SceneOptions} and fills in the rest. */
export function checkSceneStyle(options: SceneOptions): SceneStyle {
  const { seed = 0, shapes = [2, 4], hues = 6, cues = ['pitch', 'loudness'], size = [224, 384], fps = 25 } = options
  checkInteger('hues', hues, 3, 8)
  const [fewest, most] = pair('shapes', shapes, '[fewest, most]')
  checkInteger('shapes[0]', fewest, 2, 6)
  checkInteger('shapes[1]', most, fewest as number, Math.min(6, hues))
  const told = checkList('cues', cues, "an array of 'pitch' and 'loudness'").map((cue, i) => checkChoice(`cues[${i}]`, cue, ['pitch', 'loudness']))
  const [height, width] = pair('size', size, '[height, width]') as [number, number]
  checkInteger('size[0]', height, 32, 2160)
  checkInteger('size[1]', width, 32, 4 * 2160)
  if (width < height / 2 || width > 4 * height) {
    throw invalidArgumentText('size', 'as wide as half the height to four times it', `${height} × ${width}`)
  }
  return {
    seed: checkSeed('seed', seed),
    fewest: fewest as number,
    most: most as number,
    hues,
    pitch: told.includes('pitch'),
    loudness: told.includes('loudness'),
    height,
    width,
    rate: checkInteger('fps', fps, 8, 120),
  }
}

function pair(argument: string, value: unknown, form: string): [unknown, unknown] {
  return checkList(argument, value, form, 2, 2) as [unknown, unknown]
}

/**
 * The fundamental in Hz of a hue's tone: at equal ratios from 150 to 6000.
 *
 * @param hue - 0 to `hues` - 1
 * @param hues - how many hues there are, 3 to 8
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function pitchOf(hue: number, hues: number): number {
  checkInteger('hues', hues, 3, 8)
  checkInteger('hue', hue, 0, hues - 1)
  return 150 * 40 ** (hue / (hues - 1))
}
