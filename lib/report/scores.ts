import type { ScoreName, Scores } from '../metrics/score.ts'
import { printable } from '../printable.ts'

/** The scores in the order of the paper's tables, as they are called there. */
export const scoreColumns = [
  { name: 'cc', title: 'CC', lessIsBetter: false },
  { name: 'sim', title: 'SIM', lessIsBetter: false },
  { name: 'nss', title: 'NSS', lessIsBetter: false },
  { name: 'aucJudd', title: 'AUC-J', lessIsBetter: false },
  { name: 'kl', title: 'KL', lessIsBetter: true },
] as const satisfies readonly { name: ScoreName; title: string; lessIsBetter: boolean }[]

/** The scores of one dataset. */
export interface ScoredDataset {
  /** `DIEM, test, fold 1`. */
  readonly title: string
  readonly scores: Scores
}

/** A score as tables have it. */
export function scoreText(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : '–'
}

/** `CC 0.512, SIM 0.401, …`. */
export function scoresLine(mean: Scores['mean']): string {
  return scoreColumns.map(({ name, title }) => `${title} ${scoreText(mean[name])}`).join(', ')
}

/** Tables for a terminal: a dataset each, a line a video, then the mean. */
export function scoresText(datasets: readonly ScoredDataset[]): string {
  const longest = datasets.flatMap(({ scores }) => Object.keys(scores.videos)).reduce((most, video) => Math.max(most, printable(video).length), 30)
  const width = longest + 2
  const line = (name: string, cells: readonly string[]): string => name.padEnd(width) + cells.map((cell) => cell.padStart(8)).join('')
  const values = (mean: Scores['mean']): string[] => scoreColumns.map(({ name }) => scoreText(mean[name]))
  const tables = datasets.map(({ title, scores }) => [
    line(printable(title), scoreColumns.map((column) => column.title)),
    ...Object.entries(scores.videos).map(([video, mean]) => line(`  ${printable(video)}`, values(mean))),
    line(meanTitle(scores), values(scores.mean)),
    ...undefinedNote(scores),
  ])
  return tables.map((table) => table.join('\n')).join('\n\n')
}

/** `mean of 12 videos, 3400 frames`. */
export function meanTitle({ videos, frames }: Scores): string {
  const count = Object.keys(videos).length
  return `mean of ${count} ${count === 1 ? 'video' : 'videos'}, ${frames} ${frames === 1 ? 'frame' : 'frames'}`
}

/** Says where scores were undefined, if any were. */
export function undefinedNote({ undefinedCount, frames }: Scores): string[] {
  const some = scoreColumns.filter(({ name }) => undefinedCount[name] > 0).map(({ name, title }) => `${title} for ${undefinedCount[name]}`)
  return some.length === 0 ? [] : [`Undefined, and left out of the means: ${some.join(', ')} of ${frames} frames.`]
}
