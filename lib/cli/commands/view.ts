import { Command, Option } from 'commander'
import { invalidArgument, invalidArgumentText } from '../../errors.ts'
import { filesMean } from '../../files/meaning.ts'
import { OutputPlace } from '../../files/output-place.ts'
import { checkNoInput } from '../../files/same-file.ts'
import type { VideoInfo } from '../../media/media-info.ts'
import { openNpy, type NpyMaps } from '../../media/read-npy.ts'
import { checkSpan, estimateMaps, predictMedia, readVideoOptions, type PredictVideoOptions } from '../../predict-video.ts'
import { drawSeed } from '../../random/seed.ts'
import { durationText } from '../../report/duration.ts'
import { mimeOf, type FilmSource } from '../../view/film.ts'
import { checkPagePath, fileOf, filmBytes, filmFor, lookAt, takeMaps, videoOf, writePieces, type PageMap } from '../../view/make-view.ts'
import { checkMapBytes } from '../../view/map-shelf.ts'
import { filmAddress, serveView } from '../../view/serve.ts'
import { viewHtml } from '../../view/view-html.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { showMapProgress } from '../terminal/map-progress.ts'
import { print, printJson } from '../terminal/print.ts'
import { showWarnings } from '../terminal/warnings.ts'
import { addDeviceFlags, integer, type DeviceFlags } from './flags.ts'
import { openModel, type OpenModel, type Weights } from './open-model.ts'
import type { ModelOpener } from './predict.ts'
import { addVideoFlags, type PredictingFlags } from './video-flags.ts'
import { addSourceFlags, filesOf, openSource, sourceWords, type SourceFlags } from './video-source.ts'
import { chooseWeights, noteOf, weightsOptions, type WeightsFlags } from './weights-flags.ts'

interface ViewFlags extends WeightsFlags, DeviceFlags, SourceFlags, PredictingFlags {
  readonly output?: string
  readonly serve?: number | true
  readonly maps?: string
  readonly beside?: true
  readonly stride: number
  readonly json?: true
}

/** Those of a video's flags that say how its maps are predicted. */
const samplingFlags = ['steps', 'eta', 'seed', 'batch', 'videoOnly', 'mirror'] as const

const notes = `
The page holds the maps, 96 columns and a byte a pixel, and the video up to 32 MiB; it needs no network. A minute of 25 maps a second takes 11 MB,
and 64 MiB of maps fit, eight minutes: --stride takes fewer. A longer video lies --beside the page, or is looked at with --serve, until Ctrl-C.
The maps are predicted, or those of --maps, as 'diffsal predict --maps FILE.npy' wrote them with the same --stride, --start and --end.`

/** `diffsal view`: a page that shows a video with its maps. */
export function viewCommand(open: ModelOpener = openModel): Command {
  const maps = new Option('--maps <file>', 'maps that are there already: FILE.npy of every n-th frame (--stride)')
  const command = new Command('view')
    .description('make a page that plays a video with its maps over it')
    .argument('<input>', `the video, of a kind that browsers play: ${sourceWords}`)
    .option('-o, --output <file>', 'the page to write: .html')
    .addOption(new Option('--serve [port]', 'show the page on 127.0.0.1, at a port that is free or at this one').argParser(integer(0, 65_535)))
    .addOption(maps)
    .option('--beside', 'the page plays the file of the video where it lies, and does not hold it')
  for (const option of weightsOptions()) command.addOption(option)
  addVideoFlags(command, ['stride', 'start', 'end', ...samplingFlags])
  addDeviceFlags(addSourceFlags(command))
  // Nothing is predicted where maps are there: flags of a prediction would change nothing.
  const predicting = [...weightsOptions(), ...addDeviceFlags(addVideoFlags(new Command(), samplingFlags)).options]
  maps.conflicts(predicting.map((option) => option.attributeName()))
  return command
    .option('--json', 'print one JSON object on standard output once the page is there')
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action((input: string, flags: ViewFlags) => interruptible((signal) => view(input, flags, open, signal)))
}

async function view(input: string, flags: ViewFlags, open: ModelOpener, signal: AbortSignal): Promise<void> {
  const begun = performance.now()
  const { output, serve, maps: mapsFile, stallLimit } = flags
  if (output === undefined && serve === undefined) throw invalidArgumentText('-o', 'a page to write, or --serve to show it', 'neither')
  if (output !== undefined) checkPagePath('-o', output)
  checkSpan(flags)
  const named = filesOf(input)
  const weights = mapsFile === undefined ? chooseWeights(flags) : undefined
  using warnings = showWarnings()
  let place: OutputPlace | undefined
  try {
    const note = weights && noteOf(weights)
    if (note !== undefined) warnings.say(note)
    const read = [...named, ...(mapsFile === undefined ? [] : [mapsFile]), ...(weights && 'file' in weights ? [weights.file] : [])]
    if (output !== undefined) await filesMean('output', () => checkNoInput(output, read))
    await using opened = await openSource(input, flags, signal)
    const info = videoOf(opened.info)
    const film = output === undefined ? undefined : await filesMean('input', () => filmFor(output, info, flags.beside ?? false))
    if (output !== undefined) place = await filesMean('output', () => OutputPlace.beside(output))
    const source = await openMaps(info, weights, flags, open, signal)
    await using _ = source.model ?? null
    const looked = await filesMean('input', () => lookAt(info, { signal, stallLimit }))
    const progress = showMapProgress(source.estimate, process.stderr, { doing: mapsFile === undefined ? 'Predicting' : 'Reading', unit: 'maps' })
    warnings.above(progress)
    const content = await filesMean('input', () =>
      takeMaps(info, looked, source.maps(looked.times, progress.step), { signal, onMap: (count) => progress.maps(count) }),
    ).finally(() => {
      warnings.above(undefined)
      progress.stop()
    })
    const page = (from: FilmSource): AsyncIterable<string> => viewHtml(content, from, filmBytes(info, from, signal))
    if (place && film) await filesMean('output', () => writePieces(place!, page(film), signal))
    const server =
      serve === undefined
        ? undefined
        : await serveView({ page: () => page({ address: filmAddress }), film: { path: fileOf(info), mime: mimeOf(info) } }, serve === true ? 0 : serve)
    try {
      const report = {
        ...{ input: info.path, output: output ?? null, url: server?.url ?? null, frames: looked.times.length, maps: content.maps.times.length },
        ...{
          stride: flags.stride,
          shots: content.shots,
          weights: weights ?? null,
          seed: source.seed ?? null,
          warnings: warnings.all,
          seconds: Math.round(performance.now() - begun) / 1000,
        },
      }
      if (flags.json) printJson(report)
      else print(...summary(report))
      if (server) await until(signal)
    } finally {
      await server?.close()
    }
  } finally {
    await place?.discard()
  }
}

/** Maps that are to come. */
interface MapSource {
  readonly estimate: number | undefined
  readonly model?: OpenModel
  readonly seed?: number
  maps(times: readonly number[], onStep: NonNullable<PredictVideoOptions['onProgress']>): AsyncIterable<PageMap>
}

/** A model that predicts the maps, or the file that has them; refused where they are more than a page holds. */
async function openMaps(info: VideoInfo, weights: Weights | undefined, flags: ViewFlags, open: ModelOpener, signal: AbortSignal): Promise<MapSource> {
  const { stride, maps: file } = flags
  if (weights === undefined) {
    const npy = await filesMean('input', () => openNpy(file!))
    checkMapBytes(npy.count, npy.size, stride)
    return { estimate: npy.count, maps: (times) => mapsOf(npy, times, flags) }
  }
  const model = await filesMean('weights', () => open(weights, flags, signal))
  try {
    signal.throwIfAborted()
    const estimate = estimateMaps(info, flags)
    if (estimate !== undefined) checkMapBytes(estimate, model.config.size, stride)
    const { start, end, batch, videoOnly = false, mirror = false, eta, steps, seed = drawSeed(), stallLimit } = flags
    const options = { stride, start, end, batch, videoOnly, mirror, eta, steps, seed, stallLimit, signal }
    return { estimate, model, seed, maps: (_, onStep) => predicted(model, info, { ...options, onProgress: onStep }) }
  } catch (error) {
    await model[Symbol.asyncDispose]()
    throw error
  }
}

async function* predicted(model: OpenModel, info: VideoInfo, options: PredictVideoOptions): AsyncGenerator<PageMap, void, undefined> {
  for await (const { frame, time, tensor } of predictMedia(model, info, readVideoOptions(model, options))) yield { frame, time, tensor }
}

/** The maps of a file, which are of every n-th frame of the video or of its part. */
async function* mapsOf(
  npy: NpyMaps,
  times: readonly number[],
  { stride, start = Number.NEGATIVE_INFINITY, end = Number.POSITIVE_INFINITY }: ViewFlags,
): AsyncGenerator<PageMap, void, undefined> {
  const within = times.flatMap((time, frame) => (time >= start && time < end ? [frame] : []))
  const frames = within.filter((_, i) => i % stride === 0)
  if (frames.length !== npy.count) {
    throw invalidArgument(
      '--maps',
      `maps of every n-th frame, as --stride ${stride} says: ${frames.length} for the ${within.length} frames (--start and --end choose a part)`,
      npy.count,
    )
  }
  let i = 0
  for await (const tensor of npy.maps()) yield { frame: frames[i++]!, tensor }
}

/** Waits for Ctrl-C, which is how a server is ended. */
function until(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })
}

function summary({
  input,
  output,
  url,
  maps,
  shots,
  seed,
  seconds,
}: {
  input: string
  output: string | null
  url: string | null
  maps: number
  shots: readonly unknown[]
  seed: number | null
  seconds: number
}): string[] {
  const [counted, cut] = [`${maps} ${maps === 1 ? 'map' : 'maps'}`, `${shots.length} ${shots.length === 1 ? 'shot' : 'shots'}`]
  return [
    `${counted} and ${cut} of '${input}' in ${durationText(seconds)}${seed === null ? '' : `, seed ${seed}`}.`,
    ...(output === null ? [] : [`Wrote the page '${output}'.`]),
    ...(url === null ? [] : [`The page is at ${url} until Ctrl-C.`]),
  ]
}
