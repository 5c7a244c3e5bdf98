/**
 * Tables on real eye tracking: a model's maps beside maps that know nothing of the picture, and beside other people, with bootstrap intervals
 * over the videos or pictures. docs/gaze.md says what each row means.
 *
 *     npm run bench:gaze -- [--root ../shared/gaze] [--weights FILE | --no-model] [--steps 4,1] [--threads N]
 *         [--sets mufvet,buaa,osie,eyecrowd,scene500,omron,cat2000] [--rows model,mirror,sound,centre,mean,halves]
 *         [--frames 12] [--pictures 60] [--size 192x256] [--halvings 5] [--gaze-delay SECONDS] [--outside FILE.json] [--markdown FILE] [--json FILE]
 *
 * Maps are compared at one size. `--frames` are of each video, `--pictures` of each set, evenly spaced. Maps go through the published chain, as
 * `metrics.score` has it; halves of the viewers do not.
 */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { DiffSal, metrics, presets, type FramePrediction, type ScoreOptions } from '../lib/index.ts'
import { constantMaps, modelMaps, soundMaps, type RowMaps } from './gaze-maps.ts'
import { GazeBench, setNames, type Amount } from './gaze-sets.ts'
import { markdown, outsideRows, rowOf, type Row } from './gaze-table.ts'

const rowKinds = ['model', 'mirror', 'sound', 'centre', 'mean', 'halves']
const { values: options } = parseArgs({
  options: {
    root: { type: 'string', default: '../shared/gaze' },
    weights: { type: 'string' },
    'no-model': { type: 'boolean', default: false },
    steps: { type: 'string', default: '4,1' },
    threads: { type: 'string' },
    sets: { type: 'string', default: setNames.join() },
    rows: { type: 'string', default: rowKinds.join() },
    frames: { type: 'string', default: '12' },
    pictures: { type: 'string', default: '60' },
    size: { type: 'string', default: '192x256' },
    halvings: { type: 'string', default: '5' },
    'gaze-delay': { type: 'string' },
    outside: { type: 'string' },
    markdown: { type: 'string' },
    json: { type: 'string' },
  },
})

if (!existsSync(options.root)) {
  console.log(`There is no eye tracking in '${options.root}': nothing is measured. Name its folder with --root.`)
  process.exit(0)
}

const sets = listed('sets', options.sets, setNames)
const wanted = new Set(listed('rows', options.rows, rowKinds))
const steps = options.steps.split(',').map(Number)
const amount: Amount = { frames: Number(options.frames), pictures: Number(options.pictures), size: options.size.split('x').map(Number) as [number, number] }
const outside = options.outside === undefined ? [] : await outsideRows(options.outside)

const usesModel = !options['no-model'] && ['model', 'mirror', 'sound'].some((kind) => wanted.has(kind))
const load = options.threads === undefined ? {} : { threads: Number(options.threads) }
const model = usesModel ? await DiffSal.load(options.weights, load) : undefined
const { size, clipLength, gazeDelay: usual } = (model ?? presets.gaze).config
const gazeDelay = options['gaze-delay'] === undefined ? usual : Number(options['gaze-delay'])
const form = { size, clipLength, gazeDelay }

const rows: Row[] = []
const results = []
for (const name of sets) {
  const bench = await GazeBench.open(name, options.root, form, amount)
  const centre = await metrics.fitCentreGaussian(bench.trained([48, 64]))
  const baseline = metrics.centreGaussian(...amount.size, centre)
  const others = await bench.others()
  const against: ScoreOptions = { others, baseline: () => baseline }
  const scored = async (row: string, maps: readonly FramePrediction[]) =>
    timed(name, row, async () => rowOf(name, row, await metrics.score(maps, bench, against)))
  const scoredAll = async (maps: RowMaps) => {
    for (const [row, list] of maps) await scored(row, list)
  }
  if (model !== undefined) {
    const begin = performance.now()
    const maps = await modelMaps(model, bench, steps, wanted.has('mirror'))
    console.error(`${name}: the model's maps are made (${((performance.now() - begin) / 1000).toFixed(1)} s)`)
    const [first] = maps.values()
    if (!wanted.has('model')) for (const row of [...maps.keys()].slice(0, steps.length)) maps.delete(row)
    await scoredAll(maps)
    if (wanted.has('sound') && name === 'mufvet') {
      const heard = { silence: await bench.hearing('silence', options.root, form), other: await bench.hearing('other', options.root, form) }
      await scoredAll(await soundMaps(model, bench, steps[0]!, first!, heard))
    }
  }
  if (wanted.has('centre')) await scored('centre Gaussian, fitted on training', constantMaps(bench, baseline))
  if (wanted.has('mean')) await scored('mean of training', constantMaps(bench, await metrics.meanMap(bench.trained(amount.size))))
  if (wanted.has('halves'))
    await timed(name, 'half of the viewers against the other half', async (row) => {
      const halves = await bench.halves(Number(options.halvings))
      return halves && rowOf(name, row, { ...halves, frames: bench.places.length })
    })
  rows.push(...outside.filter(({ set }) => set === name))
  results.push({ set: name, centre, places: bench.places })
}
await model?.dispose()

const tables = markdown(rows)
console.log(tables)
if (options.markdown !== undefined) await writeFile(options.markdown, tables)
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ ...amount, weights: options.weights, sets: results, rows }, undefined, 1)}\n`)

/** Adds a row, if one could be made, and says how long it took. */
async function timed(set: string, name: string, make: (row: string) => Promise<Row | undefined>): Promise<void> {
  const begin = performance.now()
  const row = await make(name)
  if (row === undefined) return
  rows.push(row)
  console.error(`${set}: '${name}' is scored (${((performance.now() - begin) / 1000).toFixed(1)} s)`)
}

/** A list with commas, all of whose words are known. */
function listed(option: string, text: string, known: readonly string[]): string[] {
  const words = text.split(',')
  const unknown = words.find((word) => !known.includes(word))
  if (unknown === undefined) return words
  console.error(`--${option} has '${unknown}', which is none of ${known.join(', ')}.`)
  process.exit(2)
}
