import { Command } from 'commander'
import type { Precision } from '../../checks/precision.ts'
import { filesMean } from '../../files/meaning.ts'
import type { MapLook } from '../../maps/paint.ts'
import type { OpenedMedia } from '../../media/open-media.ts'
import { rationalText, rationalValue } from '../../media/rational.ts'
import { sourceOf } from '../../media/source-info.ts'
import { checkSpan, estimateMaps, mapRate, type PredictVideoOptions } from '../../predict-video.ts'
import { drawSeed } from '../../random/seed.ts'
import { durationText } from '../../report/duration.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { showMapProgress } from '../terminal/map-progress.ts'
import { print, printJson } from '../terminal/print.ts'
import { showWarnings } from '../terminal/warnings.ts'
import { addDeviceFlags, type DeviceFlags } from './flags.ts'
import { lookOf, lookOptions, type LookFlags } from './map-look.ts'
import { openModel, type OpenModel, type Weights } from './open-model.ts'
import { checkPlaces, planOutputs, type PlannedOutput } from './outputs.ts'
import { addVideoFlags } from './video-flags.ts'
import { addSourceFlags, filesOf, nameOf, openSource, sourceWords, type SourceFlags } from './video-source.ts'
import { chooseWeights, noteOf, weightsOptions, type WeightsFlags } from './weights-flags.ts'
import { writeMaps } from './write-maps.ts'

interface PredictFlags extends LookFlags, WeightsFlags, DeviceFlags, SourceFlags {
  readonly output?: string
  readonly maps?: string
  readonly overlay?: true
  readonly activity?: true
  readonly stride: number
  readonly start?: number
  readonly end?: number
  readonly steps?: number
  readonly eta: number
  readonly seed?: number
  readonly batch: number
  readonly shots?: true
  readonly videoOnly?: true
  readonly json?: true
}

/** How the command opens its model; tests give a small one. */
export type ModelOpener = typeof openModel

const notes = `
The maps are written as a grey video, or with --overlay in colour over the original video, with the original sound. In videos and PNGs the same
colour means the same height above a map's least value, in all frames but those before the liveliest; --scale says otherwise. .npy holds the
values as they are, float32 (maps, height, width).
An address and standard input are written to a temporary file first, which is removed in the end.
Without -o and --maps, the video is <name>-saliency.mp4, <name>-overlay.mp4 or <name>-activity.mp4 in this folder. Files of the same names are replaced.`

/** `diffsal predict`: the saliency maps of a video. */
export function predictCommand(open: ModelOpener = openModel): Command {
  const command = new Command('predict')
    .description('predict the saliency maps of a video with its sound')
    .argument('<input>', `the video: ${sourceWords}`)
  for (const option of weightsOptions()) command.addOption(option)
  command
    .option('-o, --output <file>', 'the video to write: .mp4, .mov or .mkv')
    .option('--maps <path>', 'write the predicted maps too: a folder of PNGs named by frame number, or one file that ends in .npy')
    .option('--overlay', 'lay the maps in colour over the original video')
    .option('--activity', 'show where the model hears something in place of where people look: the activity of its interaction with the sound; a video of it is an overlay')
  for (const option of lookOptions()) command.addOption(option)
  addVideoFlags(command, ['stride', 'start', 'end', 'steps', 'eta', 'seed', 'batch', 'shots', 'videoOnly'])
  return addDeviceFlags(addSourceFlags(command))
    .option('--json', 'print one JSON object on standard output at the end')
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action((input: string, flags: PredictFlags) => interruptible((signal) => predict(input, flags, open, signal)))
}

/** What was done, for `--json`. */
interface Report {
  readonly input: string
  /** [height, width] of the input's frames; null for sound alone. */
  readonly size: readonly [number, number] | null
  /** On the average; exact for a usual constant rate: `30000/1001`. */
  readonly fps: string
  /** Seconds; null where the file does not tell. */
  readonly duration: number | null
  /** By how many degrees the stored frames are turned, clockwise. */
  readonly rotation: number
  /** In the part that was asked for, where one was. */
  readonly frames: number
  readonly maps: number
  /** The frames that have a predicted map, in the order of the .npy file: first, first + step, first + 2 · step, … */
  readonly mapFrames: { readonly first: number; readonly step: number; readonly count: number }
  /** [height, width] of a predicted map. */
  readonly mapSize: readonly [number, number]
  readonly weights: Weights
  /** What to know about weights that were not trained on eye tracking. */
  readonly note?: string
  readonly device: string
  readonly precision: Precision
  readonly seed: number
  readonly steps: number
  readonly eta: number
  readonly stride: number
  /** Seconds, where a part was asked for. */
  readonly start?: number
  readonly end?: number
  readonly batch: number
  /** Whether windows keep to the shots of the video. */
  readonly shots?: true
  readonly videoOnly: boolean
  /** Whether the maps are of the interaction's activity. */
  readonly activity?: true
  readonly outputs: readonly PlannedOutput[]
  readonly look: MapLook
  readonly warnings: readonly string[]
  readonly seconds: number
}

async function predict(input: string, flags: PredictFlags, open: ModelOpener, signal: AbortSignal): Promise<void> {
  const start = performance.now()
  checkSpan(flags)
  const weights = chooseWeights(flags)
  const outputs = planOutputs(nameOf(input), flags)
  const look = lookOf(flags, outputs)
  const warnings = showWarnings()
  let model: OpenModel | undefined
  let opened: OpenedMedia | undefined
  try {
    const note = noteOf(weights)
    if (note !== undefined) warnings.say(note)
    await filesMean('output', () => checkPlaces(outputs, [...filesOf(input), ...('file' in weights ? [weights.file] : [])]))
    const { start: from, end: to, stallLimit } = flags
    const { info } = (opened = await openSource(input, flags, signal))
    model = await filesMean('weights', () => open(weights, flags, signal))
    signal.throwIfAborted()
    const seed = flags.seed ?? drawSeed()
    const progress = showMapProgress(estimateMaps(info, flags))
    warnings.above(progress)
    let steps = 0
    const options: PredictVideoOptions = {
      stride: flags.stride,
      start: from,
      end: to,
      batch: flags.batch,
      shots: flags.shots ?? false,
      videoOnly: flags.videoOnly ?? false,
      activity: flags.activity ?? false,
      eta: flags.eta,
      ...(flags.steps !== undefined && { steps: flags.steps }),
      seed,
      stallLimit,
      signal,
      onProgress: (now) => {
        ;({ steps } = now)
        progress.step(now)
      },
    }
    const written = await writeMaps(model, info, outputs, look, options, signal, (_, count) => progress.maps(count)).finally(() => {
      warnings.above(undefined)
      progress.stop()
    })
    const { size, duration, rotation } = sourceOf(info, rationalValue(mapRate(info)))
    const report: Report = {
      input: info.path,
      size,
      fps: rationalText(mapRate(info)),
      duration: duration ?? null,
      rotation,
      frames: written.frames,
      maps: written.maps,
      mapFrames: { first: written.first, step: flags.stride, count: written.maps },
      mapSize: model.config.size,
      weights,
      ...(note !== undefined && { note }),
      device: model.device,
      precision: model.precision,
      seed,
      steps,
      eta: flags.eta,
      stride: flags.stride,
      ...(from !== undefined && { start: from }),
      ...(to !== undefined && { end: to }),
      batch: flags.batch,
      ...(flags.shots && { shots: true as const }),
      videoOnly: flags.videoOnly ?? false,
      ...(flags.activity && { activity: true }),
      outputs,
      look,
      warnings: warnings.all,
      seconds: Math.round(performance.now() - start) / 1000,
    }
    if (flags.json) printJson(report)
    else print(...summary(report))
  } finally {
    warnings.end()
    await opened?.close()
    await model?.dispose()
  }
}

const written = { overlay: 'the overlay video', 'map-video': 'the map video', png: 'the PNGs in', npy: 'the maps as' } as const

function summary(report: Report): string[] {
  const { input, frames, maps, stride, outputs, seconds, seed } = report
  const every = stride === 1 ? '' : ` (every ${stride}${ordinal(stride)})`
  return [
    `Predicted ${maps} map${maps === 1 ? '' : 's'} for ${frames} frames${every} of '${input}' in ${durationText(seconds)}, seed ${seed}.`,
    sourceText(report),
    ...outputs.map(({ kind, path }) => `Wrote ${written[kind]} '${path}'.`),
  ]
}

/** `'clip.mp4': 1920 × 1080, 30000/1001 frames a second, 5.00 s, turned by 90°.` */
function sourceText({ input, size, fps, duration, rotation }: Report): string {
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
