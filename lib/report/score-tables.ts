import { html, type Markup } from './html.ts'
import { meanTitle, scoreColumns, scoreText, undefinedNote, type ScoredDataset } from './scores.ts'

/** With more videos, a dataset's are folded away. */
const openUpTo = 40

/** A table of the datasets' means, and one of each dataset's videos. */
export function scoreTables(datasets: readonly ScoredDataset[]): Markup {
  const means = datasets.map(({ title, scores }) => {
    const videos = Object.keys(scores.videos).length
    return html`<tr><th scope="row"><bdi>${title}</bdi></th>${cells(scores.mean)}<td class="number">${videos}</td><td class="number">${scores.frames}</td></tr>
`
  })
  return html`<div class="wide"><table>
<thead><tr><th scope="col">Dataset</th>${heads()}<th scope="col" class="number">Videos</th><th scope="col" class="number">Frames</th></tr></thead>
<tbody>${means}</tbody></table></div>
${datasets.map(videoTable)}`
}

function videoTable({ title, scores }: ScoredDataset): Markup {
  const videos = Object.entries(scores.videos)
  const open = videos.length <= openUpTo ? html` open` : undefined
  return html`<details${open}><summary><bdi>${title}</bdi>: each video</summary><div class="wide"><table>
<thead><tr><th scope="col">Video</th>${heads()}</tr></thead>
<tbody>${videos.map(([video, mean]) => html`<tr><th scope="row"><bdi>${video}</bdi></th>${cells(mean)}</tr>
`)}</tbody>
<tfoot><tr><th scope="row">${meanTitle(scores)}</th>${cells(scores.mean)}</tr></tfoot></table></div>
${undefinedNote(scores).map((note) => html`<p class="note">${note}</p>`)}</details>
`
}

function heads(): Markup[] {
  return scoreColumns.map(({ title, lessIsBetter }) => html`<th scope="col" class="number">${title}\u00a0${lessIsBetter ? '↓' : '↑'}</th>`)
}

function cells(mean: ScoredDataset['scores']['mean']): Markup[] {
  return scoreColumns.map(({ name }) => html`<td class="number">${scoreText(mean[name])}</td>`)
}
