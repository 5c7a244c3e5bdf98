import { html } from './html.ts'

/**
 * The report's style sheet. Blue and vermilion are told apart by colour-blind eyes (Okabe and Ito), and the best mark has a shape of its
 * own besides.
 */
export const style = html`<style>
:root { color-scheme: light dark; --page: #fff; --ink: #1c2126; --soft: #5b6570; --rule: #d9dee3; --grid: #e9edf0; --line: #0072b2; --pale: #b5d4e8; --best: #c94f00; --box: #f6f8f9 }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181c; --ink: #e4e8ec; --soft: #9aa5b0; --rule: #3a434c; --grid: #262d34; --line: #56b4e9; --pale: #2f536a; --best: #f0914d; --box: #1c2228 }
}
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 76rem; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere }
h2 { margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--rule); font-size: 1.15rem }
p { margin: .4rem 0 }
.note, .none { color: var(--soft); font-size: .9rem }
dl { display: flex; flex-wrap: wrap; gap: .6rem 2.2rem; margin: 1.2rem 0 0 }
dt { color: var(--soft); font-size: .8rem }
dd { margin: 0; font-size: 1.1rem; font-weight: 600; overflow-wrap: anywhere }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1.25rem 1.5rem }
figure { margin: 0 }
figcaption { color: var(--soft); font-size: .85rem }
figcaption b { color: var(--ink); font-size: .95rem }
.chart { display: flex; flex-direction: column; justify-content: space-between }
.chart svg { display: block; width: 100%; height: auto; overflow: visible }
.line, .pale, .grid, .axis, .divider, .level { fill: none; stroke-linejoin: round }
.line { stroke: var(--line); stroke-width: 1.8 }
.pale { stroke: var(--pale); stroke-width: 1 }
.grid { stroke: var(--grid); stroke-width: 1 }
.axis { stroke: var(--soft); stroke-width: 1 }
.divider { stroke: var(--rule); stroke-width: 1; stroke-dasharray: 2 3 }
.level { stroke: var(--best); stroke-width: 1.2; stroke-dasharray: 6 4 }
.mark { fill: var(--line) }
.best { fill: var(--best); stroke: var(--page); stroke-width: 1 }
.tick { fill: var(--soft); font-size: 12px }
.label { fill: var(--line); font-size: 13px; font-weight: 600 }
.bestlabel { fill: var(--best) }
.wide { overflow-x: auto }
table { border-collapse: collapse; margin: .5rem 0 1rem }
th, td { padding: .25rem .8rem .25rem 0; text-align: left; font-weight: 400; border-bottom: 1px solid var(--grid); white-space: nowrap }
thead th { color: var(--soft); font-size: .85rem; border-bottom-color: var(--rule) }
tfoot th, tfoot td { border-top: 1px solid var(--rule); border-bottom: 0; font-weight: 600 }
.number { padding-left: 1.2rem; padding-right: 0; text-align: right }
summary { cursor: pointer; font-weight: 600 }
details { margin: 1rem 0 }
.strip { display: grid; grid-template-columns: repeat(var(--columns), minmax(0, 20rem)); gap: .35rem }
.strip > b { color: var(--soft); font-size: .85rem; font-weight: 400 }
.strip img { display: block; width: 100%; height: auto; background: var(--box) }
.strip p { grid-column: 1 / -1; margin: .5rem 0 0; font-size: .85rem; overflow-wrap: anywhere }
.shown { display: block; width: 100%; max-width: 20rem; height: auto; background: var(--box) }
.rim, .box { fill: none; vector-effect: non-scaling-stroke }
.rim { stroke: #000; stroke-width: 5; opacity: .7 }
.box { stroke: #fff; stroke-width: 2 }
pre { padding: 1rem; overflow-x: auto; background: var(--box); border-radius: 4px; font: 13px/1.45 ui-monospace, monospace; tab-size: 2 }
@media print {
  :root { color-scheme: light; --page: #fff; --ink: #000; --soft: #444; --rule: #bbb; --grid: #ddd; --line: #0072b2; --pale: #b5d4e8; --best: #c94f00; --box: #fff }
  body { max-width: none; padding: 0; font-size: 10pt }
  h2 { break-after: avoid }
  figure, tr, .strip p { break-inside: avoid }
  .strip p { break-after: avoid }
  .charts { grid-template-columns: repeat(2, 1fr) }
  .strip { grid-template-columns: repeat(var(--columns), minmax(0, 14rem)) }
  pre { padding: 0; white-space: pre-wrap; overflow-wrap: anywhere }
  .wide { overflow: visible }
  details > summary { list-style: none }
}
</style>`
