import { readFile } from 'node:fs/promises'
import { metrics } from '../lib/index.ts'

/** A line of the tables: a way to make maps, scored on a set. */
export interface Row {
  readonly set: string
  readonly row: string
  readonly mean: Readonly<Record<string, number | null | undefined>>
  /** Where 95 % of the means over resampled videos lie. */
  readonly intervals?: Readonly<Record<string, { readonly low: number | null; readonly high: number | null } | undefined>> | undefined
  readonly frames?: number | undefined
}

const columns = [
  ['cc', 'CC'],
  ['sim', 'SIM'],
  ['nss', 'NSS'],
  ['aucJudd', 'AUC-J'],
  ['shuffledAuc', 'sAUC'],
  ['informationGain', 'IG, bits'],
] as const

/** A row of scores, with its intervals. */
export function rowOf(set: string, row: string, scores: { readonly mean: object; readonly videos: object; readonly frames?: number }): Row {
  const intervals = metrics.bootstrap(scores as Parameters<typeof metrics.bootstrap>[0])
  return { set, row, mean: { ...scores.mean } as Row['mean'], intervals, frames: scores.frames }
}

/**
 * Rows that were measured outside: `{ "rows": [{ "set": "mufvet", "row": "spectral residual", "mean": { "cc": 0.2 } }] }`, as `--json` writes
 * them; with `videos`, each video's scores, they get intervals.
 */
export async function outsideRows(file: string): Promise<Row[]> {
  const { rows } = JSON.parse(await readFile(file, 'utf8')) as { rows?: (Row & { readonly videos?: object })[] }
  if (!Array.isArray(rows)) throw new Error(`'${file}' has no list 'rows'.`)
  return rows.map(({ set, row, mean, intervals, frames, videos }) => {
    if (typeof set !== 'string' || typeof row !== 'string' || typeof mean !== 'object') throw new Error(`In '${file}', a row lacks 'set', 'row' or 'mean'.`)
    return videos ? rowOf(set, row, { mean, videos, ...(frames !== undefined && { frames }) }) : { set, row, mean, intervals, frames }
  })
}

/** A table a set, in Markdown. */
export function markdown(rows: readonly Row[]): string {
  const tables = [...new Set(rows.map(({ set }) => set))].map((set) =>
    [
      `| ${set} | ${columns.map(([, title]) => title).join(' | ')} | frames |`,
      `| --- |${' --- |'.repeat(columns.length + 1)}`,
      ...rows.filter((one) => one.set === set).map((row) => `| ${row.row} | ${columns.map(([name]) => cell(row, name)).join(' | ')} | ${row.frames ?? '–'} |`),
    ].join('\n'),
  )
  return `${tables.join('\n\n')}\n`
}

function cell({ mean, intervals }: Row, name: string): string {
  // JSON has null for NaN.
  const text = (value: number | null | undefined) => (value === null || value === undefined || Number.isNaN(value) ? '–' : value.toFixed(3))
  const interval = intervals?.[name]
  const value = text(mean[name])
  return value === '–' || interval === undefined ? value : `${value} (${text(interval.low)}…${text(interval.high)})`
}
