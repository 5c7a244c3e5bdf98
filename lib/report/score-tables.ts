import { html, type Markup } from './html.ts'
import { columnsOf, intervalTitle, meanTitle, scoreText, undefinedNote, type ScoredDataset } from './scores.ts'

type Columns = ReturnType<typeof columnsOf>

/** With more videos, a dataset's are folded away. */
const openUpTo = 40

/** A table of the datasets' means, and one of each dataset's videos. */
export function scoreTables(datasets: readonly ScoredDataset[]): Markup {
  const columns = columnsOf(datasets)
  const means = datasets.map(({ title, scores }) => {
    const videos = Object.keys(scores.videos).length
    return html`<tr><th scope="row"><bdi>${title}</bdi></th>${cells(columns, scores.mean)}<td class="number">${videos}</td><td class="number">${scores.frames}</td></tr>
`
  })
  return html`<div class="wide"><table>
<thead><tr><th scope="col">Dataset</th>${heads(columns)}<th scope="col" class="number">Videos</th><th scope="col" class="number">Frames</th></tr></thead>
<tbody>${means}</tbody></table></div>
${datasets.map(videoTable)}`
}

function videoTable(dataset: ScoredDataset): Markup {
  const { title, scores, intervals } = dataset
  const columns = columnsOf([dataset])
  const videos = Object.entries(scores.videos)
  const open = videos.length <= openUpTo ? html` open` : undefined
  return html`<details${open}><summary><bdi>${title}</bdi>: each video</summary><div class="wide"><table>
<thead><tr><th scope="col">Video</th>${heads(columns)}</tr></thead>
<tbody>${videos.map(
    ([video, mean]) => html`<tr><th scope="row"><bdi>${video}</bdi></th>${cells(columns, mean)}</tr>
`,
  )}</tbody>
<tfoot><tr><th scope="row">${meanTitle(scores)}</th>${cells(columns, scores.mean)}</tr>${intervals && intervalRow(columns, intervals)}</tfoot></table></div>
${undefinedNote(scores).map((note) => html`<p class="note">${note}</p>`)}</details>
`
}

function intervalRow(columns: Columns, intervals: NonNullable<ScoredDataset['intervals']>): Markup {
  const texts = columns.map(({ name }) => `${scoreText(intervals[name]?.low)}…${scoreText(intervals[name]?.high)}`)
  return html`<tr><th scope="row">${intervalTitle}</th>${texts.map((text) => html`<td class="number">${text}</td>`)}</tr>`
}

function heads(columns: Columns): Markup[] {
  return columns.map(({ title, lessIsBetter }) => html`<th scope="col" class="number">${title}\u00a0${lessIsBetter ? '↓' : '↑'}</th>`)
}

function cells(columns: Columns, mean: ScoredDataset['scores']['mean']): Markup[] {
  return columns.map(({ name }) => html`<td class="number">${scoreText(mean[name])}</td>`)
}
