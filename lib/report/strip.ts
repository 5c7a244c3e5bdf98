import { html, type Markup } from './html.ts'

/** One sample's pictures beside each other. */
export interface StripRow {
  readonly video: string
  readonly frame: number
  /** [height, width] at which they are shown at most. */
  readonly size: readonly [number, number]
  /** `data:` addresses, one a column. */
  readonly pictures: readonly string[]
}

/** Rows of pictures, the columns named above them. */
export function strip(columns: readonly string[], rows: readonly StripRow[], note: string): Markup {
  return html`<h2>Frames and maps</h2>
<p class="note">${note} Each map is scaled from its lowest value, black, to its highest, white.</p>
<div class="strip" style="--columns: ${columns.length}">
${columns.map((column) => html`<b>${column}</b>`)}
${rows.map(
  ({ video, frame, size: [height, width], pictures }) => html`<p><bdi>${video}</bdi>, frame ${frame}</p>
${pictures.map((source, i) => html`<img src="${source}" width="${width}" height="${height}" alt="${columns[i]}, ${video}, frame ${frame}">`)}
`,
)}</div>`
}
