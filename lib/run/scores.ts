import { gazeBaselines } from '../datasets/gaze-baselines.ts'
import type { DiffSal } from '../diffsal.ts'
import { filesMean } from '../files/meaning.ts'
import { bootstrap } from '../metrics/bootstrap.ts'
import type { PictureRow } from '../report/picture-row.ts'
import { samplePictures } from '../report/pictures.ts'
import type { ScoredDataset } from '../report/scores.ts'
import type { OpenedDataset } from './datasets.ts'

/** How datasets are scored. */
export interface ScoringOptions {
  readonly steps?: number | undefined
  readonly eta: number
  readonly seed: number
  readonly batch: number
  /** Whether each clip is also predicted mirrored. Default false. */
  readonly mirror?: boolean
  readonly workers?: number
  /** Samples of each dataset, evenly spaced. Default: all. */
  readonly limit?: number
}

/**
 * Scores a model on datasets, one after the other. On eye tracking there are shuffled AUC, information gain over the set's centre Gaussian, and
 * bootstrap intervals over the videos.
 */
export async function scoreDatasets(
  model: DiffSal,
  datasets: readonly OpenedDataset[],
  options: ScoringOptions,
  signal: AbortSignal,
  onProgress: (title: string, done: number, total: number) => void,
): Promise<ScoredDataset[]> {
  const scored: ScoredDataset[] = []
  for (const { title, dataset, gaze } of datasets) {
    onProgress(title, 0, Math.min(dataset.length, options.limit ?? Number.POSITIVE_INFINITY))
    const against = gaze && (await filesMean('input', () => gazeBaselines(gaze)))
    const scores = await model.evaluate(dataset, { ...options, ...against, signal, onProgress: (done, total) => onProgress(title, done, total) })
    scored.push({ title, scores, ...(gaze && { intervals: bootstrap(scores) }) })
  }
  return scored
}

/** Pictures of `count` samples in all, as many of each dataset. */
export async function datasetPictures(
  model: DiffSal,
  datasets: readonly OpenedDataset[],
  count: number,
  { steps, eta, seed }: ScoringOptions,
  signal: AbortSignal,
): Promise<PictureRow[]> {
  const rows: PictureRow[] = []
  for (const [i, { dataset }] of datasets.entries()) {
    const share = Math.floor((count * (i + 1)) / datasets.length) - Math.floor((count * i) / datasets.length)
    rows.push(...(await samplePictures(model, dataset, share, { ...(steps !== undefined && { steps }), eta, seed, signal })))
  }
  return rows
}
