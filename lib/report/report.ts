import type { ScoreName } from '../metrics/score.ts'
import type { EpochEvent, StepEvent, TrainingEvent, ValidationEvent } from '../training/events.ts'
import { html, type Markup } from './html.ts'
import { lineChart } from './line-chart.ts'
import { pageHtml } from './page.ts'
import type { PictureRow } from './picture-row.ts'
import { scoreTables } from './score-tables.ts'
import { scoreColumns, scoreText, type ScoredDataset } from './scores.ts'
import { strip, type StripRow } from './strip.ts'

/** What a report shows. */
export interface ReportContent {
  readonly title: string
  /** Where things stand, in a sentence. */
  readonly state: string
  /** Small facts beside each other. */
  readonly facts: readonly (readonly [name: string, value: string])[]
  /** Of a training. */
  readonly curves?: {
    readonly events: readonly TrainingEvent[]
    /** What the loss counts: `squared error, summed over the pixels, mean over the batch`. */
    readonly lossUnit: string
    /** The score that decides which weights are the best. */
    readonly by: ScoreName
  }
  readonly scores: readonly ScoredDataset[]
  /** Which weights the scores are of, and how they were sampled. */
  readonly scoresNote: string
  readonly pictures: readonly PictureRow[]
  readonly picturesNote: string
  readonly config: unknown
}

/** A page that holds all it shows: it opens from a file, without a network, and prints. */
export function reportHtml({ title, state, facts, curves, scores, scoresNote, pictures, picturesNote, config }: ReportContent): string {
  const body = html`${curves && curveSections(curves)}
${
  scores.length > 0
    ? html`<h2>Scores</h2>
<p class="note">${scoresNote}</p>
${scoreTables(scores)}`
    : undefined
}
${pictures.length > 0 ? strip(peopleColumns, pictures.map(rowOf), picturesNote) : undefined}`
  return pageHtml({ title, state, facts, body, config })
}

const peopleColumns = ['Frame', 'Where people looked', 'Predicted map']

function rowOf({ video, frame, size, picture, truth, map }: PictureRow): StripRow {
  return { video, frame, size, pictures: [picture, truth, map] }
}

function curveSections({ events, lossUnit, by }: NonNullable<ReportContent['curves']>): Markup {
  const steps = events.filter((event): event is StepEvent => event.type === 'step')
  const validations = events.filter((event): event is ValidationEvent => event.type === 'validation')
  const dividers = events.filter((event): event is EpochEvent => event.type === 'epoch').map(({ steps }) => steps)
  const range = [1, events.reduce((last, event) => Math.max(last, event.type === 'epoch' ? event.steps : event.step), 1)] as const
  const shared = { range, dividers }
  const best = validations.findLast((event) => event.best)?.step
  const decides = scoreColumns.find(({ name }) => name === by)!.title
  return html`<h2>Training</h2>
<p class="note">The x axis is training steps; dotted lines are the ends of epochs.</p>
<div class="charts">
${lineChart({ ...shared, title: 'Loss', unit: lossUnit, points: steps.map(({ step, loss }) => [step, loss]), kind: 'noisy' })}
${lineChart({ ...shared, title: 'Gradient norm', unit: 'norm of all gradients together, before clipping', points: steps.map(({ step, gradNorm }) => [step, gradNorm]), kind: 'noisy' })}
${lineChart({ ...shared, title: 'Learning rate', unit: 'of each step', points: steps.map(({ step, lr }) => [step, lr]), kind: 'steps' })}
</div>
${
  validations.length > 0
    ? html`<h2>Validation</h2>
<p class="note">Means over the validation videos. The diamond marks the best weights, which ${decides} decides.</p>
<div class="charts">
${scoreColumns.map(({ name, title, lessIsBetter }) => lineChart({ ...shared, title, unit: lessIsBetter ? 'less is better' : 'greater is better', points: validations.map(({ step, scores }) => [step, scores.mean[name]]), kind: 'marks', best, text: scoreText }))}
</div>`
    : undefined
}`
}
