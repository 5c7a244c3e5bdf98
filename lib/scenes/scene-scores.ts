import type { SceneSample } from '../datasets/scenes.ts'
import { scoreFrame } from '../metrics/score.ts'
import type { Tensor } from '../tensor.ts'
import { isHighestAt } from './maps.ts'

/** The scores of the benchmark that `metrics.score` has too. */
export type SceneScoreName = 'cc' | 'sim' | 'nss' | 'aucJudd'

/** In the order of tables. */
export const sceneScoreNames = ['cc', 'sim', 'nss', 'aucJudd'] as const satisfies readonly SceneScoreName[]

/** A mean over the scenes. */
export interface SceneMean {
  /** NaN where no scene has a defined value. */
  readonly mean: number
  /** Its standard error: the deviation of the scenes' values divided by the root of how many there are. */
  readonly error: number
}

/** What maps scored, one a scene. */
export interface SceneRowScores extends Readonly<Record<SceneScoreName, SceneMean>> {
  /** Linear correlation coefficient with the true map. */
  readonly cc: SceneMean
  /** Similarity to the true map. */
  readonly sim: SceneMean
  /** Normalised scanpath saliency at the scene's fixations. */
  readonly nss: SceneMean
  /** Judd's area under the ROC curve of the scene's fixations. */
  readonly aucJudd: SceneMean
  /** In what share of the scenes the map is higher at the centre of the sounding shape than at each other shape's. */
  readonly hits: SceneMean
  /** CC less that of the pictures' ceiling, scene by scene. */
  readonly ccOverPictures: SceneMean
  /** Scenes in which a score was undefined (a map of one value has no CC), and dropped from its mean. */
  readonly undefinedCount: number
}

/** Gathers the scores of one row. */
export class RowScores {
  readonly #values: Readonly<Record<SceneScoreName | 'hits', number[]>> = { cc: [], sim: [], nss: [], aucJudd: [], hits: [] }

  /** @param map as large as the scene's truth, row by row */
  async add(index: number, { target, fixations, shapes, sounding }: Omit<SceneSample, 'frames' | 'audio'>, map: Float32Array): Promise<void> {
    const size = target.shape.slice(-2) as [number, number]
    const tensor: Tensor<'float32'> = { dtype: 'float32', shape: size, data: map }
    const scores = await scoreFrame(tensor, { density: target, ...(fixations && { fixations }) })
    for (const name of sceneScoreNames) this.#values[name][index] = scores[name]
    const centres = shapes.map(({ x, y }) => [x, y] as const)
    this.#values.hits[index] = isHighestAt(map, size, centres, sounding) ? 1 : 0
  }

  /** @param pictures the row of the pictures' ceiling */
  scores(pictures: RowScores): SceneRowScores {
    const { cc, sim, nss, aucJudd, hits } = this.#values
    return {
      ...{ cc: meanOf(cc), sim: meanOf(sim), nss: meanOf(nss), aucJudd: meanOf(aucJudd), hits: meanOf(hits) },
      ccOverPictures: meanOf(cc.map((value, i) => value - pictures.#values.cc[i]!)),
      undefinedCount: hits.filter((_, i) => sceneScoreNames.some((name) => Number.isNaN(this.#values[name][i]))).length,
    }
  }
}

function meanOf(all: readonly number[]): SceneMean {
  const values = all.filter((value) => !Number.isNaN(value))
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  return { mean, error: Math.sqrt(variance / values.length) }
}
