import type { AreaAttention, AttentionBox, AttentionRegion, AttentionReport } from '../attention/attention.ts'
import { regionGap } from '../attention/region-tracks.ts'
import { durationText } from './duration.ts'
import { html, type Markup } from './html.ts'
import { lineChart } from './line-chart.ts'
import { pageHtml } from './page.ts'

/** The page of a report: what a video's maps say of attention, in charts, tables and pictures. */
export function attentionPage(title: string, report: AttentionReport, settings: object): string {
  const { size, start, end, maps, stride, seed, look, concentration, shots, regions, areas } = report
  const seconds = end - start
  const body = html`${overTime(report)}
${areas.length > 0 ? areaSections(report) : undefined}
${regions.length > 0 ? regionSection(report) : undefined}
${shotSection(report)}
${meanings(look, areas.length > 0)}`
  return pageHtml({
    title,
    state: `What a model expects people to look at from ${time(start)} to ${time(end)}. Attention is predicted, not measured.`,
    facts: [
      ['Length', seconds < 60 ? time(seconds) : durationText(seconds)],
      ['Maps', String(maps)],
      ['Shots', String(shots.length)],
      ['Mean concentration', concentration.mean.toFixed(2)],
      ['Frame', `${size[1]} × ${size[0]}`],
    ],
    body,
    config: { ...settings, stride, seed, look },
  })
}

const time = (seconds: number): string => `${seconds.toFixed(2)}\u00a0s`
const percent = (share: number | null): string => (share === null ? '–' : `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}\u00a0%`)

function overTime({ start, end, shots, concentration, moments }: AttentionReport): Markup {
  const { mean, least, greatest } = concentration
  return html`<h2>Attention over time</h2>
<p>Concentration is ${mean.toFixed(2)} on the average. It is least at ${time(least.time)}, ${least.value.toFixed(2)}, and greatest at ${time(greatest.time)}, ${greatest.value.toFixed(2)}.</p>
<p class="note">0 is a flat map, which says nothing; 1 is a single point. Dotted lines are the beginnings of shots.</p>
<div class="charts">
${lineChart({
  ...{
    title: 'Concentration',
    unit: 'of the map, 0 to 1',
    axis: 'seconds',
    range: [start, end],
    dividers: shots.slice(1).map((shot) => shot.start),
    kind: 'plain',
  },
  points: moments.map(({ time: at, concentration: value }) => [at, value]),
  text: (value) => value.toFixed(2),
})}
</div>`
}

function areaSections({ size, start, end, shots, areas, moments }: AttentionReport): Markup {
  const dividers = shots.slice(1).map((shot) => shot.start)
  return html`<h2>Areas</h2>
<div class="wide"><table>
<caption class="note">How much attention each area gets. Areas may overlap, so that shares need not sum to 100 %.</caption>
<thead><tr>${['Area', 'There', 'Share of picture', 'Dwell', 'Share of attention', 'Times its size', 'Looked at', 'Share of time', 'Looks', 'First look', 'After'].map((name, i) => html`<th scope="col"${i > 0 ? number : undefined}>${name}</th>`)}</tr></thead>
<tbody>${areas.map((area) => areaRow(area))}</tbody></table></div>
<h3>When each area is looked at</h3>
<p class="note">The share of the map in the area, while it is there. The dashed line is the share from which on it counts as looked at.</p>
<div class="charts">
${areas.map(
  (area, i) => html`<section>
<h4><bdi>${area.name}</bdi></h4>
${area.best && area.picture !== null ? boxedPicture(area.picture, size, area, `${area.name}, at ${time(area.best.time)}, where it holds ${percent(area.best.share)} of the map`) : undefined}
${lineChart({
  ...{ title: 'Share of attention', unit: `of ${area.name}, 0 to 1`, axis: 'seconds', range: [start, end], dividers, kind: 'plain', level: area.threshold },
  points: moments.flatMap(({ time: at, areas: shares }) => (shares[i] === null ? [] : [[at, shares[i]!] as const])),
})}
</section>
`,
)}</div>`
}

/** The attribute of cells with numbers. */
const number = html` class="number"`

function areaRow({ name, seconds, size, dwell, share, ratio, looked, lookedShare, looks, firstLook, firstLookAfter }: AreaAttention): Markup {
  const cells = [
    time(seconds),
    percent(size),
    time(dwell),
    percent(share),
    ratio === null ? '–' : ratio.toFixed(1),
    time(looked),
    percent(lookedShare),
    String(looks),
    firstLook === null ? 'never' : time(firstLook),
    firstLookAfter === null ? '–' : time(firstLookAfter),
  ]
  return html`<tr><th scope="row"><bdi>${name}</bdi></th>${cells.map((cell) => html`<td class="number">${cell}</td>`)}</tr>
`
}

/** A frame with a box drawn. */
function boxedPicture(picture: string, [height, width]: readonly [number, number], { x, y, width: across, height: down }: AttentionBox, words: string): Markup {
  const box = (name: string): Markup => html`<rect class="${name}" x="${x}" y="${y}" width="${across}" height="${down}"/>`
  return html`<svg class="shown" viewBox="0 0 ${width} ${height}" role="img" aria-label="${words}"><image href="${picture}" width="${width}" height="${height}" preserveAspectRatio="none"/>${box('rim')}${box('box')}</svg>`
}

function regionSection({ size, regions }: AttentionReport): Markup {
  return html`<h2>Regions that held attention longest</h2>
<div class="wide"><table>
<caption class="note">Each region is followed from map to map. The picture shows it where it held most of a map.</caption>
<thead><tr><th scope="col">Region</th><th scope="col">Picture</th>${['From', 'To', 'There', 'Dwell', 'Share of attention', 'Most of a map', 'Place'].map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
<tbody>${regions.map((region, i) => regionRow(region, i + 1, size))}</tbody></table></div>`
}

function regionRow({ start, end, seconds, dwell, share, place, best, picture }: AttentionRegion, rank: number, size: readonly [number, number]): Markup {
  const cells = [
    time(start),
    time(end),
    time(seconds),
    time(dwell),
    percent(share),
    `${percent(best.share)} at ${time(best.time)}`,
    `${place.x.toFixed(0)}, ${place.y.toFixed(0)}`,
  ]
  return html`<tr><th scope="row">${rank}</th><td>${boxedPicture(picture, size, best.box, `Region ${rank}, at ${time(best.time)}`)}</td>${cells.map((cell) => html`<td class="number">${cell}</td>`)}</tr>
`
}

function shotSection({ shots }: AttentionReport): Markup {
  return html`<h2>Shots</h2>
<details${shots.length <= 12 ? html` open` : undefined}><summary>${shots.length === 1 ? 'One shot' : `${shots.length} shots`}</summary>
<div class="wide"><table>
<thead><tr>${['Shot', 'From', 'To', 'Concentration'].map((name, i) => html`<th scope="col"${i > 0 ? number : undefined}>${name}</th>`)}</tr></thead>
<tbody>${shots.map(
    (
      { start, end, concentration },
      i,
    ) => html`<tr><th scope="row">${i + 1}</th>${[time(start), time(end), concentration === null ? 'no map' : concentration.toFixed(2)].map((cell) => html`<td class="number">${cell}</td>`)}</tr>
`,
  )}</tbody></table></div></details>`
}

function meanings(look: number, hasAreas: boolean): Markup {
  return html`<h2>What the figures mean</h2>
<p>A map says how likely people are to look at each place; its values are taken as shares that sum to 1. Each map stands for the seconds of the frames that are nearest to its own, of its own shot.</p>
<p><b>Concentration</b>: 1 − H / ln N, where H = −Σ p ln p is the entropy of the map's N shares p.</p>
<p><b>Dwell</b>: Σ s · Δt over the maps, where s is the share of the map in the area or region, and Δt the seconds for which the map stands. <b>Share of attention</b>: dwell over the seconds that the area was there; of a region, over those of the report.</p>
${
  hasAreas
    ? html`<p><b>Times its size</b>: share of attention over share of the picture, a. 1 is what evenly spread attention gives.</p>
<p><b>Looked at</b>: the time in which the odds of s are at least L = ${look} times those of a: s ≥ L · a / (1 + (L − 1) · a). <b>Share of time</b>: that over the seconds that the area was there. <b>Looks</b>: how often, without a break. <b>First look</b>: when first, on the video's clock; <b>After</b>: how long after the area was there first.</p>`
    : undefined
}
<p><b>Regions</b>: the places with at least half of a map's greatest value, where they hang together and their box is no more than half of the picture. Two boxes of maps that follow each other are one region where they share half of the smaller one; of several the most alike. A region that is not seen for ${regionGap} s is over, and so are all with a new shot.</p>`
}
