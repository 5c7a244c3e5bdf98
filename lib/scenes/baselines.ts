import { checkBoolean, checkOptions, orUsual } from '../checks/options.ts'
import { integer, namesOf, readOptions, type OptionTable } from '../checks/table.ts'
import { soundingScenes, soundingScenesTable, type SoundingScenesOptions } from '../datasets/scenes.ts'
import { Mean } from '../metrics/mean.ts'
import { aucJudd, cc, nss, sim } from '../metrics/metrics.ts'
import type { Tensor } from '../tensor.ts'
import { averageMap, meanTrueMap, shapeMap } from './maps.ts'

/** Means over scenes. */
export interface BaselineScores {
  /** Linear correlation coefficient. */
  readonly cc: number
  /** Similarity. */
  readonly sim: number
  /** Normalised scanpath saliency. */
  readonly nss: number
  /** Judd's area under the ROC curve. */
  readonly aucJudd: number
}

/** What maps score that use one of the senses as well as can be. */
export interface SceneBaselines {
  /** The mean of the Gaussians of all shapes: the best that the pictures alone allow, in CC, NSS and AUC. */
  readonly video: BaselineScores
  /** The mean of the true maps of other scenes, the same for every scene: the best that the sound alone allows. */
  readonly audio: BaselineScores
  /** The Gaussian of the shape that sounds: the truth itself, which is not NSS's or AUC's greatest possible. */
  readonly both: BaselineScores
  /** √((1 + (n − 1) ρ) / n), averaged over the scenes, ρ the mean correlation of the Gaussians of two of a scene's shapes. */
  readonly videoCcDerived: number
}

/** How {@link scoreSceneBaselines} measures. */
export interface SceneBaselineOptions {
  /** Scenes whose mean map is what the sound alone allows; of the split 'train'. Default 2000. */
  priorScenes?: number | undefined
}

const baselinesTable = { priorScenes: integer(1, 1_000_000, { usual: 2000 }) } satisfies OptionTable<SceneBaselineOptions>

/**
 * Measures what the pictures alone and the sound alone can score on the test split of sounding scenes. The maps are compared as they are,
 * without the smoothing of published scores.
 *
 * @param scenes Which scenes; `split` is 'test' unless it says otherwise.
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT.
 */
export async function scoreSceneBaselines(scenes: SoundingScenesOptions, options?: SceneBaselineOptions): Promise<SceneBaselines> {
  const given = checkOptions<SoundingScenesOptions>('scenes', scenes, namesOf(soundingScenesTable))
  // They are needed here, whatever is said.
  if (given.fixations !== undefined) checkBoolean('fixations', given.fixations)
  const dataset = soundingScenes({ ...given, split: orUsual(given.split, 'test'), fixations: true })
  const { priorScenes } = readOptions<SceneBaselineOptions, typeof baselinesTable>('options', options, baselinesTable)
  const prior = await meanTrueMap(soundingScenes({ ...given, split: 'train', length: priorScenes }))
  const means = { video: newMeans(), audio: newMeans(), both: newMeans() }
  let derived = 0
  for (let index = 0; index < dataset.length; index++) {
    const { target, fixations, shapes } = await dataset.describe(index)
    const [height, width] = target.shape.slice(1) as [number, number]
    const bells = shapes.map((shape) => shapeMap(shape, height, width))
    const mean = averageMap(bells)
    // Of every pair, each shape with itself included.
    const correlations = await cc(join(bells.flatMap((one) => bells.map(() => one))), join(bells.flatMap(() => bells)))
    derived += Math.sqrt(correlations.values.reduce((a, b) => a + b, 0)) / bells.length
    for (const [name, map] of [
      ['video', mean],
      ['audio', prior],
      ['both', target.data],
    ] as const) {
      const tensor: Tensor<'float32'> = { dtype: 'float32', shape: [1, height, width], data: map }
      const scores = await Promise.all([cc(tensor, target), sim(tensor, target), nss(tensor, fixations!), aucJudd(tensor, fixations!)])
      names.forEach((score, i) => means[name][score].add(scores[i]!.mean))
    }
  }
  const { video, audio, both } = means
  return { video: valuesOf(video), audio: valuesOf(audio), both: valuesOf(both), videoCcDerived: derived / dataset.length }
}

const names = ['cc', 'sim', 'nss', 'aucJudd'] as const
type Means = Readonly<Record<(typeof names)[number], Mean>>

function newMeans(): Means {
  return { cc: new Mean(), sim: new Mean(), nss: new Mean(), aucJudd: new Mean() }
}

function valuesOf({ cc, sim, nss, aucJudd }: Means): BaselineScores {
  return { cc: cc.value, sim: sim.value, nss: nss.value, aucJudd: aucJudd.value }
}

function join(maps: readonly Float32Array[]): Tensor<'float32'> {
  const size = maps[0]!.length
  const data = new Float32Array(size * maps.length)
  maps.forEach((map, i) => data.set(map, i * size))
  return { dtype: 'float32', shape: [maps.length, 1, size], data }
}
