import type { NativeSceneOptions } from '../addon/native.ts'
import { checkChoice, checkInteger, checkList } from '../checks/options.ts'
import { integer, type OptionTable, type Read } from '../checks/table.ts'
import { invalidArgumentText } from '../errors.ts'
import { seedOption } from '../random/seed.ts'

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
  /** Which cues there are. None: sound and picture have nothing in common. Default ['pitch', 'loudness']. */
  cues?: readonly SceneCue[] | undefined
  /** [height, width] in pixels, 32 to 2160, the width from half the height to four times it. Default [224, 384]. */
  size?: readonly [number, number] | undefined
  /** Frames a second, an integer from 8 to 120. Default 25. */
  fps?: number | undefined
}

/** Each of {@link SceneOptions}. */
export const sceneTable = {
  seed: seedOption({ usual: 0 }),
  shapes: { check: (argument: string, value: unknown) => pair(argument, value, '[fewest, most]', [2, 6], [2, 6]), usual: [2, 4] as readonly [number, number] },
  hues: integer(3, 8, { usual: 6 }),
  cues: { check: checkCues, usual: ['pitch', 'loudness'] as readonly SceneCue[] },
  size: { check: checkSceneSize, usual: [224, 384] as readonly [number, number] },
  fps: integer(8, 120, { usual: 25 }),
} satisfies OptionTable<SceneOptions>

/** The parts of the addon's options that say what scenes are like. */
export type SceneStyle = Omit<NativeSceneOptions, 'domain' | 'index' | 'changes' | 'frames'>

/** How many scenes a seed has: the numbers of scenes are below. */
export const mostScenes = 2 ** 30

/** How many of them a dataset has at most: its videos can be listed. */
export const mostSceneSamples = 10_000_000

/** What the addon is told of options that were read by a table that has {@link sceneTable}'s. */
export function sceneStyle({ seed, shapes: [fewest, most], hues, cues, size: [height, width], fps }: Read<SceneOptions, typeof sceneTable>): SceneStyle {
  checkInteger('shapes[1]', most, fewest, Math.min(6, hues))
  return { seed, fewest, most, hues, pitch: cues.includes('pitch'), loudness: cues.includes('loudness'), height, width, rate: fps }
}

function checkCues(argument: string, value: unknown): readonly SceneCue[] {
  return checkList(argument, value, "an array of 'pitch' and 'loudness'").map((cue, i) => checkChoice(`${argument}[${i}]`, cue, ['pitch', 'loudness']))
}

function checkSceneSize(argument: string, value: unknown): readonly [number, number] {
  const [height, width] = pair(argument, value, '[height, width]', [32, 2160], [32, 4 * 2160])
  if (width < height / 2 || width > 4 * height) {
    throw invalidArgumentText(argument, 'as wide as half the height to four times it', `${height} × ${width}`)
  }
  return [height, width]
}

type Range = readonly [least: number, most: number]

function pair(argument: string, value: unknown, form: string, first: Range, second: Range): readonly [number, number] {
  const [a, b] = checkList(argument, value, form, 2, 2)
  return [checkInteger(`${argument}[0]`, a, ...first), checkInteger(`${argument}[1]`, b, ...second)]
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
