/**
 * Baselines of the tables on real eye tracking, with bootstrap intervals over videos, and a model's scores beside them:
 *
 *     npm run bench:gaze -- [--root ../shared/gaze] [--sets mufvet,buaa] [--frames 12] [--weights FILE | --no-model] [--steps 4,1]
 *         [--size 192x256] [--halvings 5] [--json results.json]
 *
 * Maps are compared at one size. The centre Gaussian and the mean map are fitted on `buaa` without its held-out scenes. A model's maps go through
 * the published chain, as `score` has it; constant maps too; halves of the viewers do not.
 */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { datasets, DiffSal, metrics, type FixationTensor, type FramePrediction, type MapTensor, type ScoreOptions, type Scores, type Tensor } from '../lib/index.ts'

const heldOut = ['Cactus', 'Tennis', 'Female', 'Vidyo3', 'BasketballPass', 'ParkScene']
const { values: options } = parseArgs({
  options: {
    root: { type: 'string', default: '../shared/gaze' },
    sets: { type: 'string', default: 'mufvet,buaa' },
    frames: { type: 'string', default: '12' },
    weights: { type: 'string' },
    'no-model': { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    steps: { type: 'string', default: '4,1' },
    size: { type: 'string', default: '192x256' },
    halvings: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
})
const size = options.size.split('x').map(Number) as [number, number]
const frames = Number(options.frames)
const root = (name: string) => join(options.root, 'videos', name)
if (!existsSync(options.root)) {
  console.log(`There is no eye tracking in '${options.root}': nothing is measured. Name its folder with --root.`)
  process.exit(0)
}

const columns = ['cc', 'sim', 'nss', 'aucJudd', 'shuffledAuc', 'informationGain'] as const
type Row = { readonly set: string; readonly row: string; readonly mean: Record<string, number>; readonly intervals?: Record<string, metrics.Interval>; readonly frames?: number | undefined }
const rows: Row[] = []

/** Frames that are scored, the same for every row. */
function* chosen(set: datasets.GazeSet): Generator<[string, number]> {
  for (const video of set.videos) {
    const count = set.frames(video)
    const wanted = Math.min(count, frames)
    for (let i = 0; i < wanted; i++) yield [video, Math.floor(((i + 0.5) * count) / wanted)]
  }
}

async function* densities(set: datasets.GazeSet): AsyncGenerator<MapTensor> {
  for (const [video, frame] of chosen(set)) {
    const truth = await set.truth(video, frame, { size })
    if (truth?.density) yield truth.density
  }
}

async function open(name: string, model?: DiffSal): Promise<datasets.GazeSet> {
  const whole = name === 'mufvet' || options.all
  const { size: read, clipLength } = model?.config ?? { size, clipLength: 8 }
  return datasets.openGaze(root(name), { split: whole ? 'test' : 'validation', ...(whole ? {} : { heldOut }), size: [read[0]!, read[1]!], clipLength })
}

/** The set's chosen frames as a dataset of their own, with truths of `size`. */
function chosenOf(set: datasets.GazeSet): datasets.SaliencyDataset {
  const before = new Map<string, number>()
  let sum = 0
  for (const video of set.videos) {
    before.set(video, sum)
    sum += set.frames(video)
  }
  const list = [...chosen(set)]
  return {
    length: list.length,
    videos: set.videos,
    get: (index) => set.get(before.get(list[index]![0])! + list[index]![1]),
    truth: (video, frame) => set.truth(video, frame, { size }),
  }
}

/** For each video, the pixels that are fixated in the chosen frames of the others. */
async function othersOf(set: datasets.GazeSet): Promise<Map<string, FixationTensor>> {
  const own = new Map(set.videos.map((video) => [video, new Uint8Array(size[0] * size[1])]))
  for (const [video, frame] of chosen(set)) {
    const truth = await set.truth(video, frame, { size })
    truth?.fixations?.data.forEach((value, at) => value > 0 && (own.get(video)![at] = 1))
  }
  return new Map(
    set.videos.map((video) => {
      const data = new Uint8Array(size[0] * size[1])
      for (const [other, mask] of own) if (other !== video) mask.forEach((value, at) => value > 0 && (data[at] = 1))
      return [video, { dtype: 'uint8', shape: size, data }]
    }),
  )
}

async function* constant(set: datasets.GazeSet, map: Tensor<'float32'>): AsyncGenerator<FramePrediction> {
  for (const [video, frame] of chosen(set)) yield { video, frame, tensor: map }
}

function add(set: string, row: string, { mean, videos, frames }: Pick<Scores, 'mean' | 'videos'> & { readonly frames?: number }): void {
  rows.push({ set, row, mean, intervals: metrics.bootstrap({ mean, videos }), frames })
  console.error(`${set}: ${row} is measured`)
}

const training = await datasets.openGaze(root('buaa'), { split: 'train', heldOut, windows: 'test', size, clipLength: 8 })
const fitted = await metrics.fitCentreGaussian(densities(training))
const centre = metrics.centreGaussian(...size, fitted)
const mean = await metrics.meanMap(densities(training))

const model = options['no-model'] ? undefined : await (options.weights === undefined ? DiffSal.load() : DiffSal.load(options.weights))
for (const name of options.sets.split(',')) {
  const set = await open(name, model)
  const others = await othersOf(set)
  const against: ScoreOptions = { others: (video) => others.get(video), baseline: () => centre }
  const source = chosenOf(set)
  const own = metrics.centreGaussian(...size, await metrics.fitCentreGaussian(densities(set)))
  add(name, 'centre Gaussian, fitted on training', await metrics.score(constant(set, centre), source, against))
  add(name, 'centre Gaussian, fitted on this set', await metrics.score(constant(set, own), source, against))
  add(name, 'mean of training', await metrics.score(constant(set, mean), source, against))
  const halves = await datasets.halfAgainstHalf(set, { frames, halvings: Number(options.halvings), size })
  add(name, 'half of the viewers against the other half', { mean: { ...halves.mean, kl: Number.NaN }, videos: Object.fromEntries(Object.entries(halves.videos).map(([video, one]) => [video, { ...one, kl: Number.NaN }])) })
  if (model === undefined) continue
  for (const steps of options.steps.split(',').map(Number)) add(name, `model, ${steps} steps`, await model.evaluate(source, { steps, batch: 4, ...against }))
}
await model?.dispose()

const cell = ({ mean, intervals }: Row, name: (typeof columns)[number]) => {
  const [value, interval] = [mean[name], intervals?.[name]]
  return value === undefined || Number.isNaN(value) ? '–' : `${value.toFixed(3)} (${interval!.low.toFixed(3)}…${interval!.high.toFixed(3)})`
}
console.log(['| set | map | CC | SIM | NSS | AUC-J | sAUC | IG, bits |', '| --- | --- | --- | --- | --- | --- | --- | --- |', ...rows.map((row) => `| ${row.set} | ${row.row} | ${columns.map((name) => cell(row, name)).join(' | ')} |`)].join('\n'))
if (options.json !== undefined) await writeFile(options.json, JSON.stringify({ size, frames, centre: fitted, rows }))
