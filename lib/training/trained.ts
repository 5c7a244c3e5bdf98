import type { ScoredModel } from '../evaluate.ts'
import type { ResolvedTrainerOptions } from './options.ts'

/** What a trainer asks of its model; `DiffSal` has it. */
export interface TrainedModel extends ScoredModel {
  /** The device it runs on: `cpu`, `cuda:0`, … */
  readonly device: string
  /** How many threads it computes with on the CPU. */
  readonly threads: number
  /** Whether it was disposed. */
  readonly disposed: boolean
  /** Frees the model after the work that was asked for before. */
  dispose(): Promise<void>
}

/** What a fit reads of its trainer. */
export interface Trained {
  readonly model: TrainedModel
  readonly options: Readonly<ResolvedTrainerOptions>
  readonly steps: number
  readonly disposed: boolean
}
