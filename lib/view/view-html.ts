import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { colourMapNames, colourTable } from '../maps/colour-maps.ts'
import { html, type Markup } from '../report/html.ts'
import { pageHead } from '../report/page.ts'
import { thinned, type Point } from '../report/series.ts'
import { style } from '../report/style.ts'
import { bytesAsBase64, type FilmSource } from './film.ts'
import { waveRate, type ViewShot } from './look-through.ts'
import type { MapShelf } from './map-shelf.ts'
import { viewStyle } from './view-style.ts'

/** All that a page shows but the video. */
export interface ViewContent {
  readonly title: string
  /** [height, width] of the video, as shown. */
  readonly size: readonly [number, number]
  /** Seconds. */
  readonly duration: number
  readonly maps: MapShelf
  /** Seconds until which the last map holds. */
  readonly until: number
  readonly shots: readonly ViewShot[]
  /** undefined without sound. */
  readonly wave: Uint8Array | undefined
}

/** Steps of a picture of the whole video from left to right. */
const across = 1000

/** What the style sheets and the script may be, and where the video may come from: nothing else is loaded, and nothing is sent. */
function policy(script: string, film: FilmSource): string {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const styles = [style, viewStyle].map(({ text }) => hash(text.slice('<style>'.length, -'</style>'.length)))
  const media = 'inside' in film ? 'blob:' : "'self' file:"
  return `default-src 'none'; script-src ${hash(script)}; style-src ${styles.join(' ')}; media-src ${media}; base-uri 'none'; form-action 'none'`
}

/** JSON that may stand in a script element: no text in it ends that. */
function jsonInScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

/**
 * The page, in pieces: a long one is never one text.
 *
 * @param filmBytes the video as base64, where it is inside
 */
export async function* viewHtml(content: ViewContent, film: FilmSource, filmBytes: AsyncIterable<string> | undefined): AsyncGenerator<string, void, undefined> {
  const { title, size, duration, maps, until, shots } = content
  const script = readFileSync(new URL('./view-client.js', import.meta.url), 'utf8')
  yield pageHead(title, policy(script, film), style, viewStyle).text
  yield body(content).text
  const digits = (value: number): number => Number(value.toFixed(4))
  const place = ({ x, y }: { readonly x: number; readonly y: number }): number[] => [digits(x), digits(y)]
  const data = {
    film,
    size: [size[1], size[0]],
    duration,
    shots,
    colours: Object.fromEntries(colourMapNames.map((name) => [name, Buffer.from(colourTable(name)).toString('base64')])),
    maps: {
      ...{ columns: maps.size[1], rows: maps.size[0], times: maps.times, until, levels: maps.levels.map(digits), confidence: maps.confidence.map(digits) },
      ...{ focus: maps.focus.map(place), peaks: maps.peaks.map((some) => some.map(place)) },
    },
  }
  yield `<script type="application/json" id="data">${jsonInScript(data)}</script>\n<script type="text/plain" id="maps">`
  yield* bytesAsBase64(maps.bytes)
  yield '</script>\n'
  if (filmBytes) {
    yield '<script type="text/plain" id="film-bytes">'
    yield* filmBytes
    yield '</script>\n'
  }
  yield `<script type="module">${script}</script>\n</body>\n</html>\n`
}

function body({ title, size, duration, maps, shots, wave }: ViewContent): Markup {
  const mean = maps.confidence.reduce((a, b) => a + b, 0) / maps.confidence.length
  return html`<body>
<h1><bdi>${title}</bdi></h1>
<p>${maps.times.length} ${maps.times.length === 1 ? 'map' : 'maps'}, ${shots.length} ${shots.length === 1 ? 'shot' : 'shots'}, ${duration.toFixed(2)} s.</p>
<noscript><p>This page needs JavaScript to show the maps over the video.</p></noscript>
<main>
<div class="stage"><video id="film" playsinline preload="auto" aria-label="${title}"></video><canvas id="map" width="${maps.size[1]}" height="${maps.size[0]}" aria-hidden="true"></canvas><svg id="marks" viewBox="0 0 ${size[1]} ${size[0]}" preserveAspectRatio="none" aria-hidden="true"></svg></div>
<p id="trouble" role="alert" hidden></p>
<div class="bar" role="group" aria-label="Playback">
<button id="play" type="button">Play</button>
<button id="earlier" type="button">Previous shot</button>
<button id="later" type="button">Next shot</button>
<label><input id="sound" type="checkbox" checked> Sound</label>
<span id="clock" aria-hidden="true"></span>
</div>
<input id="seek" type="range" aria-label="Time" min="0" max="${duration}" step="0.001" value="0">
<p id="said" role="status" aria-live="polite"></p>
<figure><figcaption><b>Concentration</b> of the map, from flat to one place: it goes from ${extremesText(maps.confidence)}, ${mean.toFixed(2)} on the average. Dashed: shots.</figcaption>
${track('Concentration over time', html`${curve(maps, duration)}${cuts(shots, duration)}`)}</figure>
<figure><figcaption><b>Sound</b>${wave ? undefined : ': the video has none'}</figcaption>
${wave && track('The wave of the sound', html`${waveShape(wave, duration)}${cuts(shots, duration)}`)}</figure>
<div class="bar" role="group" aria-label="How the maps are shown">
<label>Opacity <input id="opacity" type="range" min="0" max="100" value="75"></label>
<label>Colours <select id="colours">${colourMapNames.map((name) => html`<option>${name}</option>`)}</select></label>
<label>Scale <select id="scale"><option value="video">the same in all frames</option><option value="each">each map's own</option></select></label>
<label><input id="path" type="checkbox" checked> Scan path</label>
<label><input id="peaks" type="checkbox" checked> Peaks</label>
</div>
<h2>Shots</h2>
<ol class="shots">${shots.map(({ start, begins }, i) => html`<li><button type="button" data-time="${start}">${i + 1}: ${start.toFixed(2)} s${begins === 'video' ? '' : `, ${begins}`}</button></li>`)}</ol>
<h2>Keys</h2>
<p><kbd>space</kbd> plays and pauses. <kbd>←</kbd> and <kbd>→</kbd> go a second, with <kbd>shift</kbd> five. <kbd>,</kbd> and <kbd>.</kbd> go a map, <kbd>p</kbd> and <kbd>n</kbd> a shot, <kbd>Home</kbd> and <kbd>End</kbd> to the ends.</p>
</main>
`
}

function extremesText(values: readonly number[]): string {
  const [least, greatest] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)] as const, [1, 0] as readonly [number, number])
  return `${least.toFixed(2)} to ${greatest.toFixed(2)}`
}

function track(label: string, content: Markup): Markup {
  return html`<svg class="track" viewBox="0 0 ${across} 100" preserveAspectRatio="none" role="img" aria-label="${label}">${content}<path class="head" d="M0 0V100"/></svg>`
}

function cuts(shots: readonly ViewShot[], duration: number): Markup[] {
  return shots.slice(1).map(({ start }) => html`<path class="cut" d="M${round((across * start) / duration)} 0V100"/>`)
}

function curve({ times, confidence }: MapShelf, duration: number): Markup {
  const greatest = Math.max(
    0.02,
    confidence.reduce((a, b) => Math.max(a, b), 0),
  )
  const points = thinned(
    confidence.map((value, i): Point => [times[i]!, value]),
    2 * across,
  )
  return html`<path class="line" d="M${points.map(([time, value]) => `${round((across * time) / duration)} ${round(96 - (92 * value) / greatest)}`).join('L')}"/>`
}

function waveShape(wave: Uint8Array, duration: number): Markup {
  const columns = Math.min(across, Math.max(1, wave.length))
  const heights = Array.from({ length: columns }, (_, i) => {
    const [from, to] = [Math.floor((i * wave.length) / columns), Math.ceil(((i + 1) * wave.length) / columns)]
    return wave.subarray(from, to).reduce((a, b) => Math.max(a, b), 0)
  })
  const loudest = heights.reduce((a, b) => Math.max(a, b), 1)
  const step = (across * wave.length) / waveRate / duration / columns
  const edge = (sign: number): string[] => heights.map((height, i) => `${round((i + 0.5) * step)} ${round(50 + (sign * 48 * height) / loudest)}`)
  return html`<path class="wave" d="M${[...edge(-1), ...edge(1).reverse()].join('L')}Z"/>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
