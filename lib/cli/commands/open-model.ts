import type { Precision } from '../../checks/precision.ts'
import type { Predictor } from '../../predict-video.ts'
import { presets, type Presets } from '../../presets.ts'
import type { DeviceFlags } from './flags.ts'

/** Where the weights come from: the package, a file, or a seed for random ones. */
export type Weights = { readonly preset: keyof Presets } | { readonly file: string } | { readonly random: number }

/** A model as the command line uses it. */
export interface OpenModel extends Predictor, AsyncDisposable {
  readonly device: string
  readonly precision: Precision
}

/** Opens the network. libtorch is loaded here and not before, so that `--help` and a mistyped option answer at once. */
export async function openModel(weights: Weights, { device, precision, threads }: DeviceFlags, signal: AbortSignal): Promise<OpenModel> {
  const { DiffSal } = await import('../../diffsal.ts')
  const run = { device, precision, ...(threads !== undefined && { threads }) }
  if ('random' in weights) return DiffSal.create(undefined, { seed: weights.random, ...run })
  return DiffSal.load('file' in weights ? weights.file : presets[weights.preset].weights, { ...run, signal })
}

/** How a command opens its model; tests give a small one. */
export type ModelOpener = typeof openModel
