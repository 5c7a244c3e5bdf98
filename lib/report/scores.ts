import { printable } from '../errors.ts'
import type { Interval } from '../metrics/bootstrap.ts'
import type { ExtraScoreName, ScoreName, Scores } from '../metrics/score.ts'

/** The scores in the order of the paper's tables, as they are called there. */
export const scoreColumns = [
  { name: 'cc', title: 'CC', lessIsBetter: false },
  { name: 'sim', title: 'SIM', lessIsBetter: false },
  { name: 'nss', title: 'NSS', lessIsBetter: false },
  { name: 'aucJudd', title: 'AUC-J', lessIsBetter: false },
  { name: 'kl', title: 'KL', lessIsBetter: true },
] as const satisfies readonly { name: ScoreName; title: string; lessIsBetter: boolean }[]

/** The scores that only some datasets have. */
const extraColumns = [
  { name: 'shuffledAuc', title: 'sAUC', lessIsBetter: false },
  { name: 'informationGain', title: 'IG', lessIsBetter: false },
] as const satisfies readonly { name: ExtraScoreName; title: string; lessIsBetter: boolean }[]

/** The columns of a table of these datasets. */
export function columnsOf(
  datasets: readonly ScoredDataset[],
): { readonly name: ScoreName | ExtraScoreName; readonly title: string; readonly lessIsBetter: boolean }[] {
  return [...scoreColumns, ...extraColumns.filter(({ name }) => datasets.some(({ scores }) => scores.mean[name] !== undefined))]
}

/** The scores of one dataset. */
export interface ScoredDataset {
  /** `DIEM, test, fold 1`. */
  readonly title: string
  readonly scores: Scores
  /** Where 95 % of the means of resampled videos lie. */
  readonly intervals?: Readonly<Partial<Record<ScoreName | ExtraScoreName, Interval>>>
}

/** A score as tables have it. */
export function scoreText(value: number | undefined): string {
  return value !== undefined && Number.isFinite(value) ? value.toFixed(3) : '–'
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
  const tables = datasets.map((dataset) => {
    const { title, scores, intervals } = dataset
    const columns = columnsOf([dataset])
    const values = (mean: Partial<Scores['mean']>): string[] => columns.map(({ name }) => scoreText(mean[name]))
    const ends = (end: keyof Interval): string[] => columns.map(({ name }) => scoreText(intervals?.[name]?.[end]))
    return [
      line(
        printable(title),
        columns.map((column) => column.title),
      ),
      ...Object.entries(scores.videos).map(([video, mean]) => line(`  ${printable(video)}`, values(mean))),
      line(meanTitle(scores), values(scores.mean)),
      ...(intervals ? [line(`${intervalTitle}, from`, ends('low')), line('to'.padStart(intervalTitle.length + 6), ends('high'))] : []),
      ...undefinedNote(scores),
    ]
  })
  return tables.map((table) => table.join('\n')).join('\n\n')
}

/** What an interval is called in tables. */
export const intervalTitle = '95 % interval'

/** `mean of 12 videos, 3400 frames`. */
export function meanTitle({ videos, frames }: Scores): string {
  const count = Object.keys(videos).length
  return `mean of ${count} ${count === 1 ? 'video' : 'videos'}, ${frames} ${frames === 1 ? 'frame' : 'frames'}`
}

/** Says where scores were undefined, if any were. */
export function undefinedNote({ undefinedCount, frames }: Scores): string[] {
  const some = [...scoreColumns, ...extraColumns]
    .filter(({ name }) => (undefinedCount[name] ?? 0) > 0)
    .map(({ name, title }) => `${title} for ${undefinedCount[name]}`)
  return some.length === 0 ? [] : [`Undefined, and left out of the means: ${some.join(', ')} of ${frames} frames.`]
}
