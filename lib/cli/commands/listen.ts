import { extname, resolve } from 'node:path'
import { Command } from 'commander'
import { invalidArgument, invalidArgumentText } from '../../errors.ts'
import { filesMean } from '../../files/meaning.ts'
import { openSharp } from '../../files/open-sharp.ts'
import { writeWhole } from '../../files/write-whole.ts'
import { hearingRule, listenTable, listenTo, readListenOptions, type HeardWith, type Listening } from '../../listen.ts'
import { checkSpan } from '../../predict-video.ts'
import { durationText } from '../../report/duration.ts'
import { listeningStrip, stripRows } from '../../report/listening-strip.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { showMapProgress } from '../terminal/map-progress.ts'
import { print, printJson } from '../terminal/print.ts'
import { showWarnings } from '../terminal/warnings.ts'
import { addDeviceFlags, addFlags, type DeviceFlags } from './flags.ts'
import { openModel } from './open-model.ts'
import { checkPlaces } from './outputs.ts'
import type { ModelOpener } from './predict.ts'
import { addSourceFlags, filesOf, openSource, sourceWords, type SourceFlags } from './video-source.ts'
import { chooseWeights, trainedWeightsOptions, type WeightsFlags } from './weights-flags.ts'

interface ListenFlags extends WeightsFlags, DeviceFlags, SourceFlags {
  readonly output?: string
  readonly frames: number
  readonly shift: number
  readonly start?: number
  readonly end?: number
  readonly steps?: number
  readonly eta: number
  readonly seed?: number
  readonly json?: true
}

const words: Readonly<Record<Exclude<HeardWith, 'right'>, string>> = { otherSeed: 'another seed', silence: 'silence', shuffled: 'shuffled', shifted: 'shifted' }

const notes = `
Each frame is predicted with its own sound, with silence, with the sound of another of the frames (shuffled), with the sound of a moment later (shifted), and with
its own sound from other noise, the yardstick. The model hears where one of the wrong sounds changes the map (1 - CC, and KL) at least ${hearingRule.timesNoise} times as much as the noise
does, and by ${hearingRule.leastChange} at least. The strip has a column a frame and a row each: ${stripRows.join(', ')}.`

/** `diffsal listen`: whether a model used the sound of a video. */
export function listenCommand(open: ModelOpener = openModel): Command {
  const command = new Command('listen')
    .description('find out whether a model used the sound of a video: its maps with the right sound against those with wrong ones')
    .argument('<input>', `the video, with sound: ${sourceWords}`)
  for (const option of trainedWeightsOptions()) command.addOption(option)
  command.option('-o, --output <file>', 'write the maps beside each other as one picture: .png')
  addFlags(command, listenTable, ['frames', 'shift', 'start', 'end', 'steps', 'eta', 'seed'], {
    steps: `${listenTable.steps.help} (default: the model's)`,
    seed: 'decides the noise, the same for all maps but the yardstick (default: drawn)',
  })
  return addDeviceFlags(addSourceFlags(command))
    .option('--json', 'print one JSON object on standard output')
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action((input: string, flags: ListenFlags) => interruptible((signal) => run(input, flags, open, signal)))
}

async function run(input: string, flags: ListenFlags, open: ModelOpener, signal: AbortSignal): Promise<void> {
  const start = performance.now()
  const { output, frames, shift, start: from, end: to, steps, eta, seed, stallLimit } = flags
  if (output !== undefined && extname(output).toLowerCase() !== '.png') throw invalidArgument('-o', 'a file that ends in .png', output)
  checkSpan({ start: from, end: to })
  const weights = chooseWeights(flags)
  const files = [...filesOf(input), ...('file' in weights ? [weights.file] : [])]
  if (output !== undefined) {
    await filesMean('output', () => checkPlaces([{ kind: 'npy', path: output }], files))
    openSharp()
  }
  using warnings = showWarnings()
  await using opened = await openSource(input, flags, signal)
  const { info } = opened
  await using model = await filesMean('weights', () => open(weights, flags, signal))
  signal.throwIfAborted()
  if (!model.config.audio) throw invalidArgumentText('--weights', 'of a model that hears', 'one that sees only')
  const progress = showMapProgress(5 * frames)
  warnings.above(progress)
  const options = readListenOptions(model, {
    ...{ frames, shift, start: from, end: to, steps, eta, seed, stallLimit },
    onProgress: ({ maps }) => progress.maps(maps),
  })
  const heard = await filesMean('input', () => listenTo(model, info, { ...options, signal })).finally(() => progress.stop())
  warnings.above(undefined)
  if (output !== undefined) {
    const picture = await listeningStrip(heard.frames)
    await filesMean('output', () => writeWhole(resolve(output), picture))
  }
  const seconds = Math.round(performance.now() - start) / 1000
  if (flags.json) printJson(report(info.path, weights, heard, output, seconds))
  else print(...summary(info.path, heard, output, seconds))
}

/** All but the pictures and maps. */
function report(input: string, weights: object, heard: Listening, output: string | undefined, seconds: number): object {
  const { frames, ...rest } = heard
  return {
    input,
    weights,
    ...rest,
    rule: hearingRule,
    frames: frames.map(({ frame, time }) => ({ frame, time })),
    ...(output !== undefined && { output, rows: stripRows }),
    seconds,
  }
}

function summary(input: string, { frames, seed, shift, verdict, hears, changedBy, changes }: Listening, output: string | undefined, seconds: number): string[] {
  const rows = (Object.keys(words) as (keyof typeof words)[]).map((kind) => {
    const { cc, kl, timesNoise } = changes[kind]
    const times = kind === 'otherSeed' ? 'the yardstick' : `${timesNoise.toFixed(1)} times the seed's`
    return `  ${words[kind].padEnd(14)}${(1 - cc).toFixed(4).padStart(8)}${kl.toFixed(4).padStart(10)}   ${times}`
  })
  const why = hears ? `Its maps change with ${changedBy.map((kind) => words[kind]).join(', ')}` : 'No wrong sound changes its maps'
  return [
    `${frames.length} frames of '${input}' in ${durationText(seconds)}, seed ${seed}, shifted by ${shift} s: the model ${verdict}.`,
    `How far the map is from the one with the right sound, with`,
    `${' '.repeat(16)}${'1 - CC'.padStart(8)}${'KL'.padStart(10)}`,
    ...rows,
    `${why} at least ${hearingRule.timesNoise} times as much as with another seed.`,
    ...(output === undefined ? [] : [`Wrote the strip '${output}'; its rows: ${stripRows.join(', ')}.`]),
  ]
}
