import { basename } from 'node:path'
import { Argument, Command } from 'commander'
import { DiffSal } from '../../diffsal.ts'
import { filesMean } from '../../files/meaning.ts'
import { writeWhole } from '../../files/write-whole.ts'
import { presets } from '../../presets.ts'
import { maxSeed } from '../../random/seed.ts'
import { durationText } from '../../report/duration.ts'
import { sceneReport } from '../../report/scene-report.ts'
import { sceneTableNotes, sceneTableText } from '../../report/scene-table.ts'
import { shown } from '../../run/folder.ts'
import { benchmarkScenes, type SceneBenchmark } from '../../scenes/benchmark.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { print, printJson } from '../terminal/print.ts'
import { showTrainingProgress } from '../terminal/training-progress.ts'
import { showWarnings } from '../terminal/warnings.ts'
import { addDeviceFlags, integer, integers, type DeviceFlags } from './flags.ts'
import { renderScenes, type WrittenScene } from './render-scenes.ts'

interface BenchmarkFlags extends DeviceFlags {
  readonly weights?: string
  readonly length: number
  readonly seed: number
  readonly steps: readonly number[]
  readonly render?: string
  readonly scenes: number
  readonly seconds: number
  readonly report?: string
  readonly json?: true
}

const notes = `
scenes: generated clips in which several shapes move and one of them sounds. The table has the model's scores with the right sound, another
scene's, silence and none, and with either of the two cues alone, beside what the pictures alone and the sound alone allow.`

/** `diffsal benchmark`: whether weights use the sound. */
export function benchmarkCommand(): Command {
  const command = new Command('benchmark')
    .description('measure on generated scenes, offline, whether weights use the sound')
    .addArgument(new Argument('<name>', 'the benchmark').choices(['scenes']))
    .option('--weights <file>', 'the weights, safetensors or .pth (default: the small ones that ship with the package)')
    .option('--length <n>', 'scenes of the test split', integer(2, 1_000_000), 500)
    .option('--seed <n>', "decides the scenes; the maps' noise is always the same", integer(0, maxSeed), 0)
    .option('--steps <list>', 'numbers of denoising steps', integers(1, 100_000), [1, 2, 4, 10])
    .option('--render <dir>', "write whole scenes as mp4 with sound, the model's maps over them, and where everything is as JSON")
    .option('--scenes <n>', 'of --render: how many scenes', integer(1, 1000), 2)
    .option('--seconds <n>', 'of --render: how long each is', integer(1, 3600), 8)
    .option('--report <file>', 'write the table, with pictures, as one HTML page')
  return addDeviceFlags(command)
    .option('--json', 'print one JSON object on standard output')
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action((_: string, flags: BenchmarkFlags) => interruptible((signal) => benchmark(flags, signal)))
}

/** Scenes whose pictures a report shows. */
const shownScenes = 8

async function benchmark(flags: BenchmarkFlags, signal: AbortSignal): Promise<void> {
  const begin = performance.now()
  const { weights = presets.scenes.weights, length, seed, steps, device, precision, threads } = flags
  const progress = showTrainingProgress({ epochs: 0, stepsPerEpoch: 0 })
  using warnings = showWarnings()
  warnings.above(progress)
  try {
    await using model = await filesMean('weights', () => DiffSal.load(weights, { device, precision, ...(threads !== undefined && { threads }), signal }))
    const { pictures, ...measured } = await benchmarkScenes(model, {
      ...{ length, seed, steps, pictures: flags.report === undefined ? 0 : shownScenes, signal },
      onProgress: (done, total) => progress.scoring('sounding scenes', done, total),
    })
    progress.stop()
    if (flags.report !== undefined) await writeReport(flags.report, model, { ...measured, pictures }, flags)
    const rendered =
      flags.render === undefined
        ? []
        : await renderScenes(flags.render, model, { scenes: flags.scenes, seconds: flags.seconds, seed, steps: measured.comparedSteps, signal })
    const seconds = Math.round(performance.now() - begin) / 1000
    if (flags.json) printJson({ weights, device: model.device, precision, seed, ...measured, rendered, seconds })
    else {
      print(
        `'${shown(weights)}' on ${length} sounding scenes, seed ${seed}, in ${durationText(seconds)}.`,
        '',
        ...sceneTableText({ ...measured, pictures }, model.config).split('\n'),
        '',
        ...sceneTableNotes({ ...measured, pictures }),
        ...rendered.flatMap(renderedText),
        ...(flags.report === undefined ? [] : [`The report is '${flags.report}'.`]),
      )
    }
  } finally {
    progress.stop()
  }
}

function renderedText({ video, overlay, following: { maps, hits, chance } }: WrittenScene): string {
  const percent = (share: number): string => `${Math.round(100 * share)} %`
  return `Wrote '${video}' and '${overlay}': the map is highest at the sounding shape in ${percent(hits / maps)} of ${maps} frames (a guess: ${percent(chance)}).`
}

async function writeReport(path: string, model: DiffSal, benchmark: SceneBenchmark, { weights, seed, steps }: BenchmarkFlags): Promise<void> {
  const title = weights === undefined ? 'The shipped weights on sounding scenes' : `${basename(weights)} on sounding scenes`
  const facts = [
    ['Scenes', String(benchmark.length)],
    ['Seed', String(seed)],
    ['Device', model.device],
    ['Precision', model.precision],
  ] as const
  const settings = { weights: weights ?? 'scenes', length: benchmark.length, seed, steps, model: model.config }
  const page = await sceneReport(title, facts, benchmark, model.config, settings)
  await filesMean('output', () => writeWhole(path, page))
}
