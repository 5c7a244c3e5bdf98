import type { Predictor } from '../predict-video.ts'

/** Where the weights come from: a file, or a seed for random ones. */
export type Weights = { readonly file: string } | { readonly random: number }

/** A model as the command line uses it. */
export interface OpenModel extends Predictor {
  readonly device: string
  dispose(): Promise<void>
}

/** Opens the network. libtorch is loaded here and not before, so that `--help` and a mistyped option answer at once. */
export async function openModel(weights: Weights, device: string, signal: AbortSignal): Promise<OpenModel> {
  const { DiffSal } = await import('../diffsal.ts')
  return 'file' in weights ? DiffSal.load(weights.file, { device, signal }) : DiffSal.create(undefined, { seed: weights.random, device })
}
