import type { SaliencyDataset, TrainingSample } from '../datasets/dataset.ts'
import type { ScoredModel } from '../evaluate.ts'
import { pictureRow, type PictureRow } from './picture-row.ts'

/** How the maps of a report are sampled. */
export interface PictureOptions {
  readonly steps?: number
  readonly eta: number
  readonly seed: number
  readonly signal: AbortSignal
}

/** Predicts `count` samples of a dataset, evenly spaced, and makes their pictures. */
export async function samplePictures(model: ScoredModel, dataset: SaliencyDataset, count: number, options: PictureOptions): Promise<PictureRow[]> {
  const { steps, eta, seed, signal } = options
  const { video, audio } = model.config
  const rows: PictureRow[] = []
  for (let part = 0; part < Math.min(count, dataset.length); part++) {
    signal.throwIfAborted()
    const sample = await sampleOf(dataset, part, Math.min(count, dataset.length))
    if (sample === null || (!video && sample.audio === null)) continue
    const clip = { ...(video && { frames: sample.frames }), ...(audio && { audio: sample.audio }) }
    const map = await model.predict(clip, { ...(steps !== undefined && { steps }), eta, seed, signal })
    rows.push(await pictureRow(sample, map))
  }
  return rows
}

/** Samples that are tried before a part of a dataset is taken to have none. */
const tries = 20

/** The middle sample of one of `parts` equal parts, or the first after it that there is. */
async function sampleOf(dataset: SaliencyDataset, part: number, parts: number): Promise<TrainingSample | null> {
  const end = Math.ceil(((part + 1) * dataset.length) / parts)
  const middle = Math.floor(((part + 0.5) * dataset.length) / parts)
  for (let index = middle; index < Math.min(end, middle + tries); index++) {
    const sample = await dataset.get(index)
    if (sample !== null) return sample
  }
  return null
}
