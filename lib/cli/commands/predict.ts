import { Command } from 'commander'
import { filesMean } from '../../files/meaning.ts'
import { areMany } from '../../many/are-many.ts'
import { checkSpan, estimateMaps } from '../../predict-video.ts'
import { durationText } from '../../report/duration.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { showMapProgress } from '../terminal/map-progress.ts'
import { print, printJson } from '../terminal/print.ts'
import { showWarnings } from '../terminal/warnings.ts'
import { addDeviceFlags } from './flags.ts'
import { lookOf, lookOptions } from './map-look.ts'
import { openModel, type ModelOpener } from './open-model.ts'
import { checkPlaces, planOutputs } from './outputs.ts'
import { predictFile, type PredictFlags, type PredictReport } from './predict-file.ts'
import { manyOptions, predictMany } from './predict-many.ts'
import { addVideoFlags } from './video-flags.ts'
import { addSourceFlags, filesOf, nameOf, openSource, sourceWords } from './video-source.ts'
import { chooseWeights, noteOf, weightsOptions } from './weights-flags.ts'

export type { ModelOpener } from './open-model.ts'

const notes = `
The maps are written as a grey video, or with --overlay in colour over the original video, with the original sound. In videos and PNGs the same
colour means the same height above a map's least value, in all frames but those before the liveliest; --scale says otherwise. .npy holds the
values as they are, float32 (maps, height, width).
An address and standard input are written to a temporary file first, which is removed in the end.
Without -o and --maps, the video is <name>-saliency.mp4, <name>-overlay.mp4 or <name>-activity.mp4 in this folder. Files of the same names are replaced.

Several inputs, a folder and a quoted pattern ('videos/**/*.mp4') are many videos. Their outputs go below the folder of -o as the videos lie below the
one that all inputs share. A video that was finished before is passed over; one that fails is told at the end, and the others go on.`

/** `diffsal predict`: the saliency maps of a video. */
export function predictCommand(open: ModelOpener = openModel): Command {
  const command = new Command('predict')
    .description('predict the saliency maps of a video with its sound')
    .argument('<input...>', `the video: ${sourceWords}; or many: files, folders, patterns`)
  for (const option of weightsOptions()) command.addOption(option)
  command
    .option('-o, --output <path>', 'the video to write: .mp4, .mov or .mkv; of many videos the folder to write into')
    .option(
      '--maps <path>',
      'write the predicted maps too: a folder of PNGs named by frame number, or one file that ends in .npy; of many videos the word png or npy',
    )
    .option('--overlay', 'lay the maps in colour over the original video')
    .option(
      '--activity',
      'show where the model hears something in place of where people look: the activity of its interaction with the sound; a video of it is an overlay',
    )
  for (const option of lookOptions()) command.addOption(option)
  addVideoFlags(command, ['stride', 'start', 'end', 'steps', 'eta', 'seed', 'batch', 'shots', 'videoOnly', 'mirror'])
  addSourceFlags(command)
  for (const option of manyOptions()) command.addOption(option)
  return addDeviceFlags(command)
    .option('--json', 'print one JSON object on standard output at the end; of many videos one a line')
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action((inputs: string[], flags: PredictFlags) =>
      interruptible(async (signal) =>
        (await asksForMany(inputs, flags)) ? predictMany(inputs, flags, open, signal) : predict(inputs[0]!, flags, open, signal),
      ),
    )
}

/** Whether many videos are meant, though there may be only one. */
async function asksForMany(inputs: readonly string[], { shard, jobs, output }: PredictFlags): Promise<boolean> {
  return shard !== undefined || jobs !== undefined || output?.endsWith('/') === true || (await areMany(inputs))
}

async function predict(input: string, flags: PredictFlags, open: ModelOpener, signal: AbortSignal): Promise<void> {
  const start = performance.now()
  checkSpan(flags)
  const weights = chooseWeights(flags)
  const outputs = planOutputs(nameOf(input), flags)
  const look = lookOf(flags, outputs)
  using warnings = showWarnings()
  const note = noteOf(weights)
  if (note !== undefined) warnings.say(note)
  await filesMean('output', () => checkPlaces(outputs, [...filesOf(input), ...('file' in weights ? [weights.file] : [])]))
  await using opened = await openSource(input, flags, signal)
  await using model = await filesMean('weights', () => open(weights, flags, signal))
  signal.throwIfAborted()
  const progress = showMapProgress(estimateMaps(opened.info, flags))
  warnings.above(progress)
  const report = await predictFile(model, opened.info, {
    ...{ flags, weights, note, outputs, look, warnings: warnings.all, start, signal },
    onProgress: (now) => progress.step(now),
    onMaps: (count) => progress.maps(count),
    onEnd: () => {
      warnings.above(undefined)
      progress.stop()
    },
  })
  if (flags.json) printJson(report)
  else print(...summary(report))
}

const written = { overlay: 'the overlay video', 'map-video': 'the map video', png: 'the PNGs in', npy: 'the maps as' } as const

function summary(report: PredictReport): string[] {
  const { input, frames, maps, stride, outputs, seconds, seed } = report
  const every = stride === 1 ? '' : ` (every ${stride}${ordinal(stride)})`
  return [
    `Predicted ${maps} map${maps === 1 ? '' : 's'} for ${frames} frames${every} of '${input}' in ${durationText(seconds)}, seed ${seed}.`,
    sourceText(report),
    ...outputs.map(({ kind, path }) => `Wrote ${written[kind]} '${path}'.`),
  ]
}

/** `'clip.mp4': 1920 × 1080, 30000/1001 frames a second, 5.00 s, turned by 90°.` */
function sourceText({ input, size, fps, duration, rotation }: PredictReport): string {
  const parts = [
    ...(size === null ? ['sound alone'] : [`${size[1]} × ${size[0]}`, `${fps} frames a second`]),
    ...(duration === null ? [] : [`${duration.toFixed(2)} s`]),
    ...(rotation === 0 ? [] : [`turned by ${rotation}°`]),
  ]
  return `'${input}': ${parts.join(', ')}.`
}

function ordinal(n: number): string {
  const teens = n % 100 >= 11 && n % 100 <= 13
  return teens ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')
}
