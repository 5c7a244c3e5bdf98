import type { Command } from 'commander'
import { filesMean } from '../../files/meaning.ts'
import { checkWritable } from '../../files/write-whole.ts'
import type { VideoInfo } from '../../media/media-info.ts'
import { withVideo } from '../../media/open-media.ts'
import { checkSpan, estimateMaps, type PredictVideoOptions } from '../../predict-video.ts'
import { drawSeed } from '../../random/seed.ts'
import { usualStride } from '../../reframe.ts'
import { showMapProgress, type MapProgress, type ProgressWords } from '../terminal/map-progress.ts'
import { showWarnings } from '../terminal/warnings.ts'
import { addDeviceFlags, type DeviceFlags } from './flags.ts'
import type { OpenModel, Weights } from './open-model.ts'
import { checkPlaces, type OutputPlan } from './outputs.ts'
import type { ModelOpener } from './predict.ts'
import { addVideoFlags, type PredictingFlags } from './video-flags.ts'
import { addSourceFlags, filesOf, openSource, type SourceFlags } from './video-source.ts'
import { chooseWeights, noteOf, weightsOptions, type WeightsFlags } from './weights-flags.ts'

/** The flags of the commands that make something of a video's maps. */
export interface VideoFlags extends WeightsFlags, DeviceFlags, SourceFlags, PredictingFlags {
  readonly shots: boolean
  readonly json?: true
}

/** Adds the options of {@link VideoFlags}. */
export function addRunFlags(command: Command): Command {
  for (const option of weightsOptions()) command.addOption(option)
  addVideoFlags(command, ['stride', 'start', 'end', 'steps', 'eta', 'seed', 'batch', 'videoOnly', 'mirror'], {
    stride: 'predict every n-th frame (default: about five a second)',
    start: 'the part from this second on only',
    end: 'the part before this second only',
  })
  command.option('--no-shots', 'take the video as one shot: do not look for cuts, fades and dissolves')
  return addDeviceFlags(addSourceFlags(command)).option('--json', 'print one JSON object on standard output at the end')
}

/** What a command works with. */
export interface VideoRun {
  readonly model: OpenModel
  readonly info: VideoInfo
  /** What to predict with; its progress is shown. */
  readonly options: PredictVideoOptions & { readonly stride: number; readonly seed: number }
  /** Shows the progress of what comes after the prediction. */
  readonly show: (of: number, words: ProgressWords) => MapProgress
  /** What was warned of so far. */
  readonly warnings: readonly string[]
  readonly weights: Weights
  readonly note?: string
}

/** How {@link runVideo} begins. */
export interface VideoRunPlan {
  readonly outputs: readonly OutputPlan[]
  /** Files that are read besides the video and the weights. */
  readonly reads?: readonly string[]
  /** Looks at the video before the model is opened. */
  readonly check?: (info: VideoInfo) => Promise<void> | void
}

/**
 * Opens a video and a model for a command, and closes them. What can be known to be wrong is told before the model is opened: outputs that
 * cannot be written or are the input, a file without a picture.
 */
export async function runVideo<T>(
  input: string,
  flags: VideoFlags,
  open: ModelOpener,
  signal: AbortSignal,
  { outputs, reads = [], check }: VideoRunPlan,
  work: (run: VideoRun) => Promise<T>,
): Promise<T> {
  const weights = chooseWeights(flags)
  using warnings = showWarnings()
  let shown: MapProgress | undefined
  const show = (of: number | undefined, words?: ProgressWords): MapProgress => {
    shown?.stop()
    shown = showMapProgress(of, process.stderr, words)
    warnings.above(shown)
    return shown
  }
  const note = noteOf(weights)
  if (note !== undefined) warnings.say(note)
  await filesMean('output', async () => {
    await checkPlaces(outputs, [...filesOf(input), ...reads, ...('file' in weights ? [weights.file] : [])])
    for (const { path } of outputs) await checkWritable(path)
  })
  const { start, end, stallLimit, batch, eta, steps } = flags
  checkSpan({ start, end })
  await using opened = await openSource(input, flags, signal)
  const info = withVideo(opened.info, 'which is needed')
  await check?.(info)
  await using model = await filesMean('weights', () => open(weights, flags, signal))
  signal.throwIfAborted()
  const stride = flags.stride ?? usualStride(info.video)
  let progress: MapProgress | undefined
  const options = {
    stride,
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
    batch,
    shots: flags.shots,
    videoOnly: flags.videoOnly ?? false,
    mirror: flags.mirror ?? false,
    eta,
    ...(steps !== undefined && { steps }),
    seed: flags.seed ?? drawSeed(),
    stallLimit,
    signal,
    onProgress: ((now) => {
      progress ??= show(estimateMaps(info, { stride, start, end }))
      progress.maps(now.maps)
      progress.step(now)
    }) satisfies PredictVideoOptions['onProgress'],
  }
  return await work({ model, info, options, show, warnings: warnings.all, weights, ...(note !== undefined && { note }) }).finally(() => shown?.stop())
}
