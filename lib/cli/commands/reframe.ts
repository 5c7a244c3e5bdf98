import { Command } from 'commander'
import { cropMedia } from '../../crop-video.ts'
import { filesMean } from '../../files/meaning.ts'
import { writeWhole } from '../../files/write-whole.ts'
import type { VideoInfo } from '../../media/media-info.ts'
import { checkEncoder, checkVideoPath } from '../../media/video-file.ts'
import { readReframeOptions, reframeMedia, reframeTable, type ReframeOptions } from '../../reframe.ts'
import { cropSize } from '../../reframe/crop-size.ts'
import { filterScript } from '../../reframe/filter-script.ts'
import type { Reframing } from '../../reframe/reframing.ts'
import { durationText } from '../../report/duration.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { jsonText, print, printJson } from '../terminal/print.ts'
import { addFlags } from './flags.ts'
import { openModel } from './open-model.ts'
import type { OutputPlan } from './outputs.ts'
import type { ModelOpener } from './predict.ts'
import { addRunFlags, runVideo, type VideoFlags, type VideoRun } from './video-run.ts'
import { nameOf, sourceWords } from './video-source.ts'

interface ReframeFlags extends VideoFlags, Pick<ReframeOptions, 'keep' | 'speed' | 'acceleration'> {
  readonly aspect?: number
  readonly output?: string
  readonly windows?: string
  readonly filter?: string
  readonly preview?: true
}

const notes = `
The window is as large as the frame allows. It moves one way: across where the wanted aspect is narrower than the frame's, else up and down, and
then the width stays and the height is cut. In each shot it begins anew.
Without -o, --windows and --filter, the video is <name>-reframed.mp4 or <name>-preview.mp4 in this folder. Files of the same names are replaced.

  diffsal reframe clip.mp4 --aspect 9:16 -o upright.mp4
  diffsal reframe clip.mp4 --aspect 1:1 --filter square.txt && ffmpeg -i clip.mp4 -filter_script:v square.txt -c:a copy square.mp4`

/** `diffsal reframe`: a video of another aspect, whose window follows what people look at. */
export function reframeCommand(open: ModelOpener = openModel): Command {
  const command = new Command('reframe').description('crop a video to another aspect, where people look').argument('<input>', `the video: ${sourceWords}`)
  addFlags(command, reframeTable, ['aspect', 'keep', 'speed', 'acceleration'], { aspect: `${reframeTable.aspect.help} (default: 9:16)` })
  command
    .option('-o, --output <file>', 'the video to write: .mp4, .mov or .mkv')
    .option('--preview', 'write the whole picture with the window drawn')
    .option('--windows <file>', "write each frame's window as JSON, too")
    .option('--filter <file>', 'write a filter script for ffmpeg, too')
  return addRunFlags(command)
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action((input: string, flags: ReframeFlags) => interruptible((signal) => reframe(input, flags, open, signal)))
}

async function reframe(input: string, flags: ReframeFlags, open: ModelOpener, signal: AbortSignal): Promise<void> {
  const start = performance.now()
  const { aspect = reframeTable.aspect.usual, keep, speed, acceleration, preview, windows, filter } = flags
  const video =
    flags.output ?? (preview || (windows === undefined && filter === undefined) ? `${nameOf(input)}-${preview ? 'preview' : 'reframed'}.mp4` : undefined)
  if (video !== undefined) checkVideoPath('-o', video)
  const outputs: OutputPlan[] = [
    ...(video === undefined ? [] : [{ kind: preview ? 'preview' : 'video', path: video, flag: '-o' }]),
    ...(windows === undefined ? [] : [{ kind: 'windows', path: windows, flag: '--windows' }]),
    ...(filter === undefined ? [] : [{ kind: 'filter', path: filter, flag: '--filter' }]),
  ]
  const check = async ({ video: stream }: VideoInfo): Promise<void> => {
    cropSize(stream, aspect)
    if (video !== undefined) await checkEncoder()
  }
  await runVideo(input, flags, open, signal, { outputs, check }, async (run) => {
    const { model, info, options, warnings } = run
    const found = await filesMean('input', () => reframeMedia(model, info, readReframeOptions(model, { ...options, aspect, keep, speed, acceleration })))
    await filesMean('output', async () => {
      if (windows !== undefined) await writeWhole(windows, windowsText(info.path, found))
      if (filter !== undefined) await writeWhole(filter, filterScript(found))
      if (video !== undefined) await writeVideo(run, found, video, preview ?? false)
    })
    const shots = new Set(found.frames.map(({ shot }) => shot)).size
    const seconds = Math.round(performance.now() - start) / 1000
    const { size, window, frames, ...part } = found
    const said = outputs.map(({ kind, path }) => ({ kind, path }))
    if (flags.json) {
      const { stride, seed } = options
      printJson({
        input: info.path,
        size,
        window,
        ...part,
        frames: frames.length,
        shots,
        stride,
        seed,
        weights: run.weights,
        ...(run.note !== undefined && { note: run.note }),
        device: model.device,
        outputs: said,
        warnings,
        seconds,
      })
    } else {
      print(
        `Followed ${frames.length} frames in ${shots} ${shots === 1 ? 'shot' : 'shots'} of '${info.path}' with a window of ${window[1]} × ${window[0]}, in ${durationText(seconds)}, seed ${options.seed}.`,
        ...said.map(({ kind, path }) => `Wrote ${words[kind]} '${path}'.`),
      )
    }
  })
}

const words: Readonly<Record<string, string>> = { video: 'the video', preview: 'the preview', windows: 'the windows as', filter: 'the filter script' }

async function writeVideo({ info, options, show }: VideoRun, found: Reframing, path: string, preview: boolean): Promise<void> {
  const progress = show(found.frames.length, { doing: 'Writing', unit: 'frames' })
  await cropMedia(info, found, path, { preview, stallLimit: options.stallLimit, signal: options.signal, onProgress: ({ frames }) => progress.maps(frames) })
}

/** A frame a line. */
function windowsText(input: string, { size, window, frames, ...part }: Reframing): string {
  const short = (value: number): number => Number(value.toFixed(3))
  const lines = frames.map(({ frame, time, shot, x, y }) => jsonText({ frame, time: Number(time.toFixed(6)), shot, x: short(x), y: short(y) }))
  const head = jsonText({ input, size, window, ...part }).slice(0, -1)
  return `${head},"frames":[\n${lines.join(',\n')}\n]}\n`
}
