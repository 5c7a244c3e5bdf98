import type { ScoreName, Scores } from '../metrics/score.ts'

/** What a training step did. */
export interface TrainingStep {
  /** How many steps are done, this one included. */
  step: number
  /** The batch's loss, before the step. */
  loss: number
  /** Norm of all gradients together, before it was clipped. */
  gradNorm: number
  /** The learning rate that was used. */
  lr: number
}

/** What `Trainer.fit` tells while it trains. Plain objects, fit for JSON. */
export type TrainingEvent = StepEvent | EpochEvent | ValidationEvent | CheckpointEvent | StopEvent

/** A step was done. */
export interface StepEvent {
  /** Tells the events apart. */
  type: 'step'
  /** How many steps are done, this one included. */
  step: number
  /** Which pass over the data, from 0. */
  epoch: number
  /** The batch's loss, before the step. */
  loss: number
  /** Norm of all gradients together, before it was clipped. */
  gradNorm: number
  /** The learning rate that was used. */
  lr: number
  /** How many samples the batch had. */
  samples: number
  /** Seconds the step took, the waiting for its data included. */
  seconds: number
  /** How many of {@link seconds} went by waiting for data. */
  waited: number
  /** Samples a second, a running mean. */
  rate: number
  /** Estimated seconds until the last epoch ends. */
  remaining: number
}

/** A pass over the data ended. */
export interface EpochEvent {
  /** Tells the events apart. */
  type: 'epoch'
  /** Which, from 0. */
  epoch: number
  /** Steps done in all. */
  steps: number
  /** The losses' mean over the epoch's samples. */
  loss: number
  /** Seconds the epoch took in this process. */
  seconds: number
}

/** The validation's samples were predicted and scored. */
export interface ValidationEvent {
  /** Tells the events apart. */
  type: 'validation'
  /** Steps done in all. */
  step: number
  /** Which epoch was the last, from 0. */
  epoch: number
  /** What the validation scored, as `DiffSal.evaluate` gives it. */
  scores: Scores
  /** Whether no validation of this training scored better before. */
  best: boolean
  /** Seconds the validation took. */
  seconds: number
}

/** The training ends here, before its last epoch, for it no longer gets better: the option `earlyStop`. The last event then. */
export interface StopEvent {
  /** Tells the events apart. */
  type: 'stop'
  /** Steps done in all. */
  step: number
  /** Which epoch was the last, from 0. */
  epoch: number
  /** The score that was looked at. */
  by: ScoreName
  /** The best of the validations, as far as one was better than those before by more than `minDelta`; null where none had a score. */
  best: number | null
  /** How many validations have gone by since. */
  validations: number
}

/** A checkpoint is on the disk. */
export interface CheckpointEvent {
  /** Tells the events apart. */
  type: 'checkpoint'
  /** Steps done in all. */
  step: number
  /** The file. */
  path: string
  /** Whether it is the best model's weights, and not what a training is resumed from. */
  best: boolean
}
