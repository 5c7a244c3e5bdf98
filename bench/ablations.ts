/**
 * The paper's ablations on sounding scenes: each row is the preset of scenes's recipe with one thing changed and a shorter training.
 *
 *     npm run bench:ablations -- [--rows mim,off] [--seeds 1] [--steps 1,4] [--scenes 500] [--threads 1] [--output out/ablations]
 *
 * A row trains twice for each seed, as the shipped weights were trained: 450 steps on easy scenes (3 hues, 2 shapes), then 400 on the whole benchmark; on one CPU
 * thread that takes about a quarter of an hour. Whatever is finished in the output folder is not trained again, and a training that was interrupted goes on, so the
 * table can grow over several days. Prints it as Markdown: means over the seeds, with the spread (the standard deviation) where there are several.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { datasets, DiffSal } from '../lib/index.ts'
import type { ScoreName } from '../lib/index.ts'

/** What a row changes in the recipe: options of the network and of the trainer. */
const rows: Readonly<Record<string, { readonly title: string; readonly model?: object; readonly trainer?: object }>> = {
  mim: { title: 'the recipe: audio and video, `mim`, `eca`, `mse`' },
  videoonly: { title: 'video only', model: { audio: false } },
  audioonly: { title: 'audio only', model: { video: false } },
  off: { title: 'interaction `off`', model: { interaction: 'off' } },
  addition: { title: 'interaction `addition`', model: { interaction: 'addition' } },
  concatenation: { title: 'interaction `concatenation`', model: { interaction: 'concatenation' } },
  bilinear: { title: 'interaction `bilinear`', model: { interaction: 'bilinear' } },
  residual: { title: 'interaction `residual` (ours)', model: { interaction: 'residual' } },
  none: { title: 'attention `none`', model: { attention: 'none' } },
  ce: { title: 'loss `ce`', trainer: { loss: 'ce' } },
  kl: { title: 'loss `kl`', trainer: { loss: 'kl' } },
}

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: Object.keys(rows).join(',') },
    seeds: { type: 'string', default: '1' },
    steps: { type: 'string', default: '1,4' },
    scenes: { type: 'string', default: '500' },
    threads: { type: 'string', default: '1' },
    output: { type: 'string', default: 'out/ablations' },
  },
})
const threads = Number(options.threads)
const scenes = Number(options.scenes)
const output = resolve(options.output)
const columns = ['cc', 'sim', 'nss', 'aucJudd'] as const satisfies readonly ScoreName[]

/** The configurations of a row's two trainings, as `diffsal train` takes them. */
function recipe(row: string, seed: number): [object, object] {
  const { model, trainer } = rows[row]!
  const [easy, whole] = [1, 2].map((stage) => JSON.parse(readFileSync(resolve('examples', `train-scenes-${stage}.json`), 'utf8')))
  return [
    {
      ...easy,
      model: { ...easy.model, ...model },
      trainer: { ...easy.trainer, ...trainer },
      train: [{ ...easy.train[0], length: 3600 }],
      seed: 10 * seed - 9,
      threads,
      pictures: 1,
      output: `${row}-${seed}-1`,
    },
    {
      ...whole,
      weights: `${row}-${seed}-1/checkpoints/best.safetensors`,
      trainer: { ...whole.trainer, ...trainer, ema: 0.99 },
      train: [{ ...whole.train[0], length: 3200 }],
      test: [],
      seed: 10 * seed - 8,
      threads,
      pictures: 1,
      output: `${row}-${seed}-2`,
    },
  ]
}

/** Trains what is not trained yet, and returns the weights' file. */
function train(row: string, seed: number): string {
  const command = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
  recipe(row, seed).forEach((config, index) => {
    const folder = join(output, `${row}-${seed}-${index + 1}`)
    if (existsSync(join(folder, 'done'))) return
    const file = `${folder}.json`
    writeFileSync(file, JSON.stringify(config, null, 2))
    const begun = existsSync(join(folder, 'config.json')) ? ['--resume'] : []
    const { status } = spawnSync(process.execPath, [command, 'train', file, ...begun], { stdio: ['ignore', 'inherit', 'inherit'] })
    if (status !== 0) throw new Error(`Training ${file} ended with exit code ${status}.`)
    writeFileSync(join(folder, 'done'), '')
  })
  return join(output, `${row}-${seed}-2`, 'checkpoints', 'best.safetensors')
}

/** The scores of a row's weights, kept beside them. */
async function scores(row: string, seed: number, steps: number): Promise<Record<ScoreName, number>> {
  const weights = train(row, seed)
  const file = join(output, `${row}-${seed}-2`, `scores-${steps}-steps-${scenes}-scenes.json`)
  if (!existsSync(file)) {
    await using model = await DiffSal.load(weights, { threads })
    const [height, width] = model.config.size
    const dataset = datasets.soundingScenes({ split: 'test', length: scenes, size: [height, width] })
    const { mean } = await model.evaluate(dataset, { steps, batch: 8 })
    writeFileSync(file, JSON.stringify(mean))
  }
  return JSON.parse(readFileSync(file, 'utf8'))
}

/** `0.987`, or `0.987 ± 0.002` of several. */
function meanAndSpread(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  if (values.length === 1) return mean.toFixed(3)
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  return `${mean.toFixed(3)} ± ${Math.sqrt(variance).toFixed(3)}`
}

const wanted = options.rows.split(',')
const seeds = options.seeds.split(',').map(Number)
for (const row of wanted) if (!(row in rows)) throw new Error(`There is no row '${row}'; there are ${Object.keys(rows).join(', ')}.`)
mkdirSync(output, { recursive: true })
const lines = ['| network | seeds | steps | CC | SIM | NSS | AUC-J |', '| --- | --- | --- | --- | --- | --- | --- |']
for (const row of wanted) {
  for (const steps of options.steps.split(',').map(Number)) {
    const all: Record<ScoreName, number>[] = []
    for (const seed of seeds) all.push(await scores(row, seed, steps))
    const cells = columns.map((name) => meanAndSpread(all.map((one) => one[name])))
    lines.push(`| ${rows[row]!.title} | ${seeds.length} | ${steps} | ${cells.join(' | ')} |`)
  }
}
console.log(lines.join('\n'))
