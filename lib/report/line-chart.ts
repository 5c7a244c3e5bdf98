import { html, type Markup } from './html.ts'
import { finite, smoothed, smoothingSpan, thinned, type Point } from './series.ts'
import { linearTicks, logTicks, numberText, tickTexts } from './ticks.ts'

/** A small chart of one quantity over a training's steps, or over the time of a video. */
export interface LineChart {
  readonly title: string
  /** What the y axis counts, and in what. */
  readonly unit: string
  readonly points: readonly Point[]
  /** What the x axis counts. Default `'step'`. */
  readonly axis?: 'step' | 'seconds'
  /** First and last on the x axis: the same for all charts of a page. */
  readonly range: readonly [first: number, last: number]
  /** Where the x axis is divided: the last step of each epoch, the beginnings of shots. */
  readonly dividers: readonly number[]
  /**
   * `noisy`: each point pale, and a smoothed line; `steps`: a line that holds each value until the next; `marks`: a line with a
   * mark at each point; `plain`: a line above an axis that begins at 0.
   */
  readonly kind: 'noisy' | 'steps' | 'marks' | 'plain'
  /** A value across which a dashed line is drawn. */
  readonly level?: number | undefined
  /** Of `marks`: the step of the best one. */
  readonly best?: number | undefined
  /** The words for a value; by default of three significant digits. */
  readonly text?: (value: number) => string
}

/** In CSS pixels at a scale of 1, as the text is. */
const [width, height] = [430, 220]
const margin = { left: 50, right: 58, top: 18, bottom: 36 } as const
const [left, right, top, bottom] = [margin.left, width - margin.right, margin.top, height - margin.bottom]
/** A quantity that spans more than this factor is drawn on a log scale. */
const wide = 30

/** The chart as a `<figure>`. It has classes for colours, no colours. */
export function lineChart(chart: LineChart): Markup {
  const points = finite(chart.points)
  if (points.length === 0)
    return html`<figure class="chart"><figcaption><b>${chart.title}</b> ${chart.unit}</figcaption><p class="none">No values yet.</p></figure>`
  const span = chart.kind === 'noisy' ? smoothingSpan(points.length) : 1
  const frame = frameOf(chart, points)
  const scale = frame.log ? ', log scale' : ''
  const smoothing = span > 1 ? ` Pale: each step; line: mean of ${span} steps.` : ''
  const last = points.at(-1)!
  const summary = `${chart.title} over ${points.length} ${points.length === 1 ? 'point' : 'points'}, from ${frame.text(points[0]![1])} to ${frame.text(last[1])}`
  return html`<figure class="chart">
<figcaption><b>${chart.title}</b> ${chart.unit}${scale}.${smoothing}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${summary}">
${axes(chart, frame)}
${curve(chart, points, span, frame)}
</svg>
</figure>
`
}

interface Frame {
  readonly text: (value: number) => string
  readonly log: boolean
  readonly ticks: readonly number[]
  readonly x: (step: number) => number
  readonly y: (value: number) => number
}

function frameOf({ range, kind, level, text = numberText }: LineChart, points: readonly Point[]): Frame {
  const values = [...points.map(([, y]) => y), ...(level === undefined ? [] : [level])]
  // No spreading: a training can have more steps than a call has arguments.
  let [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
  const log = kind !== 'plain' && low > 0 && high / low > wide
  if (!log) {
    const pad = high > low ? (high - low) * 0.08 : Math.abs(high) * 0.1 || 1
    const positive = low >= 0
    ;[low, high] = [low - pad, high + pad]
    // What cannot be negative has no axis below 0; and one that comes near 0 begins there.
    if (positive && (low < 0 || kind === 'plain' || (kind === 'steps' && low < high / 2))) low = 0
  }
  const [first, final] = range[1] > range[0] ? range : [range[0] - 1, range[1] + 1]
  const at = (value: number): number => (log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low))
  return {
    text,
    log,
    ticks: log ? logTicks(low, high) : linearTicks(low, high, 4),
    x: (step) => round(left + ((step - first) / (final - first)) * (right - left)),
    y: (value) => round(bottom - at(value) * (bottom - top)),
  }
}

function axes({ axis = 'step', range, dividers, level }: LineChart, { ticks, x, y }: Frame): Markup {
  const steps = (range[1] > range[0] ? linearTicks(range[0], range[1], Math.round(width / 100)) : [range[0]]).filter(
    (step) => axis === 'seconds' || Number.isInteger(step),
  )
  const [values, numbers] = [tickTexts(ticks), tickTexts(steps)]
  const shown = dividers.length <= 30 ? dividers : []
  return html`${shown.map((step) => html`<path class="divider" d="M${x(step)} ${top}V${bottom}"/>`)}
${ticks.map((tick, i) => html`<path class="grid" d="M${left} ${y(tick)}H${right}"/><text class="tick" x="${left - 7}" y="${y(tick) + 4}" text-anchor="end">${values[i]}</text>`)}
${level === undefined ? undefined : html`<path class="level" d="M${left} ${y(level)}H${right}"/>`}
<path class="axis" d="M${left} ${bottom}H${right}"/>
${steps.map((tick, i) => html`<path class="axis" d="M${x(tick)} ${bottom}v4"/><text class="tick" x="${x(tick)}" y="${bottom + 16}" text-anchor="middle">${numbers[i]}</text>`)}
<text class="tick" x="${(left + right) / 2}" y="${height - 4}" text-anchor="middle">${axis}</text>`
}

function curve(chart: LineChart, points: readonly Point[], span: number, frame: Frame): Markup {
  const { x, y } = frame
  const place = ([step, value]: Point): string => `${x(step)} ${y(value)}`
  const path = (list: readonly Point[]): string => `M${list.map(place).join('L')}`
  const last = points.at(-1)!
  if (chart.kind === 'steps') {
    const corners = points.filter(([, value], i) => i === 0 || i === points.length - 1 || value !== points[i - 1]![1] || value !== points[i + 1]![1])
    const line = thinned(corners, 800)
    const d = `M${place(line[0]!)}${line
      .slice(1)
      .map(([step, value]) => `H${x(step)}V${y(value)}`)
      .join('')}`
    return html`<path class="line" d="${d}"/>${dot(line)}${endLabel(frame, last)}`
  }
  if (chart.kind === 'plain') return html`<path class="line" d="${path(thinned(points, 800))}"/>${dot(points)}`
  if (chart.kind === 'marks') return html`<path class="line" d="${path(points)}"/>${marks(chart, points, frame)}`
  if (span === 1) return html`<path class="line" d="${path(points)}"/>${dot(points)}${endLabel(frame, last)}`
  const smooth = smoothed(points, span)
  return html`<path class="pale" d="${path(thinned(points, 800))}"/><path class="line" d="${path(thinned(smooth, 400))}"/>${endLabel(frame, smooth.at(-1)!)}`

  /** A line of one point is not seen. */
  function dot(list: readonly Point[]): Markup | undefined {
    return list.length === 1 ? html`<circle class="mark" cx="${x(list[0]![0])}" cy="${y(list[0]![1])}" r="3"/>` : undefined
  }
}

function endLabel({ x, y, text }: Frame, [step, value]: Point): Markup {
  return html`<text class="label" x="${x(step) + 6}" y="${y(value) + 4}">${text(value)}</text>`
}

function marks({ best }: LineChart, points: readonly Point[], frame: Frame): Markup {
  const { x, y, text } = frame
  const last = points.at(-1)!
  const chosen = points.find(([step]) => step === best)
  const dots = points.map(
    ([step, value]) => html`<circle class="mark" cx="${x(step)}" cy="${y(value)}" r="2.6"><title>step ${step}: ${text(value)}</title></circle>`,
  )
  if (chosen === undefined) return html`${dots}${endLabel(frame, last)}`
  const [cx, cy] = [x(chosen[0]), y(chosen[1])]
  const diamond = html`<path class="best" d="M${cx} ${cy - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"><title>best, step ${chosen[0]}: ${text(chosen[1])}</title></path>`
  if (chosen === last) return html`${dots}${diamond}<text class="label bestlabel" x="${cx + 9}" y="${cy + 4}">${text(last[1])}</text>`
  const anchor = cx < left + 30 ? 'start' : 'middle'
  return html`${dots}${endLabel(frame, last)}${diamond}<text class="label bestlabel" x="${cx}" y="${cy - 9}" text-anchor="${anchor}">${text(chosen[1])}</text>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
