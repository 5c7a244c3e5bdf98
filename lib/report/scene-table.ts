import type { DiffSalConfig } from '../config.ts'
import type { SceneBenchmark, SceneRow, SceneRowKind } from '../scenes/benchmark.ts'
import { sceneScoreNames, type SceneMean } from '../scenes/scene-scores.ts'
import { html, type Markup } from './html.ts'
import { scoreColumns, scoreText } from './scores.ts'

const columns = [
  ...sceneScoreNames.map((name) => ({ name, title: scoreColumns.find((column) => column.name === name)!.title, text: scoreText })),
  { name: 'hits', title: 'hits', text: (value: number) => (Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : '–') },
  { name: 'ccOverPictures', title: 'CC over pictures', text: scoreText },
] as const

/** What a row is, in words. */
export function sceneRowTitle(kind: SceneRowKind, { video, audio }: Pick<DiffSalConfig, 'video' | 'audio'>): string {
  const titles: Readonly<Record<SceneRowKind, string>> = {
    pictures: 'ceiling: the pictures alone',
    sound: 'ceiling: the sound alone',
    truth: 'the true map itself',
    model: video && audio ? 'model, the right sound' : `model, which only ${video ? 'sees' : 'hears'}`,
    other: "model, another scene's sound",
    silence: 'model, silence',
    leftOut: 'model, the sound left out',
    pitch: 'model, pitch the only cue',
    loudness: 'model, loudness the only cue',
  }
  return titles[kind]
}

/** The table for a terminal. */
export function sceneTableText({ rows }: SceneBenchmark, config: DiffSalConfig): string {
  const line = (title: string, steps: string, cells: readonly string[]): string =>
    title.padEnd(30) + steps.padStart(6) + cells.map((cell, i) => cell.padStart(i === columns.length - 1 ? 18 : 16)).join('')
  return [
    line(
      '',
      'steps',
      columns.map(({ title }) => title),
    ),
    ...rows.map((row) =>
      line(
        sceneRowTitle(row.kind, config),
        stepsText(row),
        columns.map(({ name, text }) => meanText(row[name], text)),
      ),
    ),
  ].join('\n')
}

/** The table of a page. */
export function sceneTable({ rows }: SceneBenchmark, config: DiffSalConfig): Markup {
  return html`<div class="wide"><table>
<thead><tr><th scope="col">Maps</th><th scope="col" class="number">Steps</th>${columns.map(({ title }) => html`<th scope="col" class="number">${title}\u00a0↑</th>`)}</tr></thead>
<tbody>${rows.map(
    (
      row,
    ) => html`<tr><th scope="row">${sceneRowTitle(row.kind, config)}</th><td class="number">${stepsText(row)}</td>${columns.map(({ name, text }) => html`<td class="number">${meanText(row[name], text)}</td>`)}</tr>
`,
  )}</tbody></table></div>`
}

/** What the table's numbers are. */
export function sceneTableNotes({ length, rows, chance }: SceneBenchmark): string[] {
  const dropped = rows.reduce((sum, { undefinedCount }) => sum + undefinedCount, 0)
  return [
    `Means over ${length} scenes of the test split, ± their standard error. All maps, those of the ceilings and the true map too, are compared by the published scoring chain (scaled, smoothed, resized), so that the true map itself is a little below 1.`,
    'Ceilings: the pictures alone allow the mean of the maps of all shapes; the sound alone the mean true map of other scenes.',
    `Hits: scenes in which the map is higher at the centre of the sounding shape than at each other shape's; a guess hits ${(100 * chance).toFixed(1)} %. CC over pictures: CC less that of the pictures' ceiling, scene by scene.`,
    ...(dropped > 0 ? [`Scores were undefined for ${dropped} maps, and left out of the means.`] : []),
  ]
}

function stepsText({ steps }: SceneRow): string {
  return steps === null ? '–' : String(steps)
}

function meanText({ mean, error }: SceneMean, text: (value: number) => string): string {
  return Number.isFinite(error) ? `${text(mean)} ±${text(error).replace(' %', '')}` : text(mean)
}
