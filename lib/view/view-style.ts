import { html } from '../report/html.ts'

/** What this page has beyond the reports' style sheet. */
export const viewStyle = html`<style>
.stage { position: relative; width: fit-content; max-width: 100%; margin: 1rem auto; background: #000 }
.stage video { display: block; max-width: 100%; max-height: 70vh; min-width: min(100%, 40rem) }
.stage canvas, .stage svg { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none }
.under, .way, .peak, .focus { fill: none; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke }
.under { stroke: #000; stroke-width: 5; opacity: .5 }
.way { stroke: #fff; stroke-width: 2 }
.focus { fill: #fff; stroke: #000; stroke-width: 1.5 }
.peak { stroke: #fff; stroke-width: 2; stroke-dasharray: 4 3 }
.bar { display: flex; flex-wrap: wrap; gap: .5rem 1.2rem; align-items: center; margin: .6rem 0; padding: 0; border: 0 }
.bar label { display: inline-flex; gap: .4rem; align-items: center }
button, select { font: inherit; padding: .25rem .8rem; color: var(--ink); background: var(--box); border: 1px solid var(--rule); border-radius: 4px }
button { cursor: pointer }
:focus-visible { outline: 3px solid var(--best); outline-offset: 2px }
#seek { width: 100%; margin: .4rem 0 }
.track { display: block; width: 100%; height: 5rem; margin: 0 0 .8rem; background: var(--box); cursor: pointer }
.wave { fill: var(--pale) }
.cut, .head { stroke: var(--best); stroke-width: 1; vector-effect: non-scaling-stroke }
.cut { stroke-dasharray: 3 3 }
.head { stroke: var(--ink); stroke-width: 2 }
.track .line { vector-effect: non-scaling-stroke }
.shots { display: flex; flex-wrap: wrap; gap: .4rem; padding: 0; list-style: none }
#said { min-height: 1.5em; color: var(--soft) }
#trouble { color: var(--best); font-weight: 600 }
kbd { padding: 0 .35rem; border: 1px solid var(--rule); border-radius: 3px; font: inherit }
</style>`
