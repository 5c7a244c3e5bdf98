import type { ScoredModel } from '../evaluate.ts'
import type { ParameterInfo } from '../parameter-count.ts'
import type { Tensor } from '../tensor.ts'
import type { ResolvedTrainerOptions } from './options.ts'

/** What a trainer asks of its model; `DiffSal` has it. */
export interface TrainedModel extends ScoredModel {
  /** The device it runs on: `cpu`, `cuda:0`, … */
  readonly device: string
  /** How many threads it computes with on the CPU. */
  readonly threads: number
  /** Whether it was disposed. */
  readonly disposed: boolean
  /** Names and shapes of all tensors. */
  parameters(): readonly ParameterInfo[]
  /** The values of the tensor `name`. */
  parameter(name: string): Promise<Tensor<'float32'>>
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
