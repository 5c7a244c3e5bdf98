import type { DiffSalConfig } from '../config.ts'
import { greyLevels } from '../maps/scale.ts'
import type { SceneBenchmark, ScenePicture } from '../scenes/benchmark.ts'
import { html } from './html.ts'
import { pageHtml } from './page.ts'
import { dataAddress } from './picture-row.ts'
import { sceneRowTitle, sceneTable, sceneTableNotes } from './scene-table.ts'
import { strip, type StripRow } from './strip.ts'

/** The rows whose maps are shown, as far as the model has them. */
const shownKinds = ['model', 'other', 'silence'] as const

/** The page of a benchmark on sounding scenes. */
export async function sceneReport(
  title: string,
  facts: readonly (readonly [name: string, value: string])[],
  benchmark: SceneBenchmark,
  config: DiffSalConfig,
  settings: object,
): Promise<string> {
  const { pictures, comparedSteps } = benchmark
  const kinds = shownKinds.filter((kind) => pictures[0]?.maps.some((one) => one.kind === kind))
  const columns = ['Frame', 'True map', ...kinds.map((kind) => sceneRowTitle(kind, config))]
  const rows = await Promise.all(pictures.map((picture) => rowOf(picture, kinds)))
  const note = `Of ${comparedSteps} denoising ${comparedSteps === 1 ? 'step' : 'steps'}, evenly spaced over the scenes.`
  const body = html`<h2>Scores</h2>
${sceneTable(benchmark, config)}
${sceneTableNotes(benchmark).map(
  (text) => html`<p class="note">${text}</p>
`,
)}
${rows.length > 0 ? strip(columns, rows, note) : undefined}`
  return pageHtml({ title, state: 'One of several shapes sounds: does the map sit on it, and what is it without its sound?', facts, body, config: settings })
}

async function rowOf({ video, frame, frames, target, maps }: ScenePicture, kinds: readonly string[]): Promise<StripRow> {
  const [length, height, width] = frames.shape as [number, number, number]
  const pixels = height * width * 3
  const middle = Math.floor(length / 2) * pixels
  const greys = [target, ...kinds.map((kind) => maps.find((one) => one.kind === kind)!.map)]
  const pictures = await Promise.all([
    dataAddress(frames.data.subarray(middle, middle + pixels), height, width, 3),
    ...greys.map(({ data }) => dataAddress(greyLevels(data), height, width, 1)),
  ])
  return { video, frame, size: [height, width], pictures }
}
