import { basename } from 'node:path'
import { durationText } from '../report/duration.ts'
import { standstillText } from '../report/standstill.ts'
import type { PictureRow } from '../report/picture-row.ts'
import { reportHtml } from '../report/report.ts'
import type { ScoredDataset } from '../report/scores.ts'
import { numberText } from '../report/ticks.ts'
import type { StepEvent, TrainingEvent, ValidationEvent } from '../training/events.ts'
import type { SeededRun } from './folder.ts'

/** What a training's report is made of, beside its configuration. */
export interface RunState {
  readonly events: readonly TrainingEvent[]
  readonly device: string
  /** Whether all epochs are done. */
  readonly finished: boolean
  /** Of the test sets, at the end. */
  readonly scores: readonly ScoredDataset[]
  readonly pictures: readonly PictureRow[]
  readonly picturesNote: string
}

const lossUnits = {
  mse: 'squared error, summed over the pixels, mean over the batch',
  ce: 'cross-entropy, summed over the pixels, mean over the batch',
  kl: 'divergence of map and truth, mean over the batch',
} as const

/** The page of a training as it stands. */
export function trainingReport(config: SeededRun, { events, device, finished, scores, pictures, picturesNote }: RunState): string {
  const steps = events.filter((event): event is StepEvent => event.type === 'step')
  const validations = events.filter((event): event is ValidationEvent => event.type === 'validation')
  const epochs = events.filter(({ type }) => type === 'epoch').length
  const [first, last] = [steps[0], steps.at(-1)]
  const best = validations.findLast((event) => event.best)
  const validated = best && { title: `Validation after epoch ${best.epoch + 1}`, scores: best.scores }
  const sum = (of: (event: StepEvent) => number): number => steps.reduce((total, event) => total + of(event), 0)
  const seconds = sum((event) => event.seconds)
  const stop = events.findLast((event) => event.type === 'stop')
  const state =
    finished && stop
      ? `Stopped after ${epochs} of ${config.epochs} epochs: ${standstillText(stop)}.`
      : finished
        ? `All ${config.epochs} epochs are trained.`
        : `${epochs} of ${config.epochs} epochs are trained${last ? `; step ${last.step} is done` : ''}.`
  const terms = Object.entries(config.trainer.terms ?? {}).flatMap(([name, weight]) => (weight ? [`${weight} × ${name.toUpperCase()}`] : []))
  return reportHtml({
    title: basename(config.output),
    state,
    facts: [
      ['Steps', numberText(last?.step ?? 0)],
      ['Epochs', `${epochs} of ${config.epochs}`],
      ['Loss, first and last step', first && last ? `${numberText(first.loss)}, ${numberText(last.loss)}` : '–'],
      ['Training time', durationText(seconds)],
      ['Clips a second', seconds > 0 ? numberText(sum((event) => event.samples) / seconds) : '–'],
      ['Time spent waiting for data', seconds > 0 ? `${Math.round((100 * sum((event) => event.waited)) / seconds)} %` : '–'],
      ['Device', device],
    ],
    curves: { events, lossUnit: [lossUnits[config.trainer.loss ?? 'mse'], ...terms].join(', plus '), by: config.by },
    scores: [...scores, ...(validated ? [validated] : [])],
    scoresNote: scoresNote(scores.length > 0, validated !== undefined, config.sampling),
    pictures,
    picturesNote,
    config,
  })
}

function scoresNote(tested: boolean, validated: boolean, sampling: SeededRun['sampling']): string {
  const weights = validated ? 'the best weights' : 'the last weights'
  return `Of ${weights}${tested ? '' : ', on the validation videos'}. Mean over each video's frames, then over the videos. ${samplingNote(sampling)}`
}

/** How maps were sampled, in words. */
export function samplingNote({ steps, eta, seed, mirror }: Pick<SeededRun['sampling'], 'steps' | 'eta' | 'seed'> & { readonly mirror?: boolean }): string {
  const mirrored = mirror ? ' Each map is the mean with that of the mirrored clip.' : ''
  return `Sampled with ${steps === undefined ? "the model's number of" : steps} denoising ${steps === 1 ? 'step' : 'steps'}, eta ${eta}, seed ${seed}.${mirrored}`
}
