import { basename, extname } from 'node:path'
import { anySignal } from './async/abort.ts'
import { checkString } from './checks/options.ts'
import { integer, number, readOptions, type Option, type OptionTable } from './checks/table.ts'
import { checkAreas, checkAreasFit, type ReportArea } from './attention/areas.ts'
import type { AttentionReport } from './attention/attention.ts'
import { AttentionCollector } from './attention/collect.ts'
import { framePictures } from './attention/pictures.ts'
import { invalidArgument } from './errors.ts'
import { openSharp } from './files/open-sharp.ts'
import { checkNoInput } from './files/same-file.ts'
import { checkWritable, writeWhole } from './files/write-whole.ts'
import type { MediaInfo, VideoInfo } from './media/media-info.ts'
import { withMedia, withVideo } from './media/open-media.ts'
import { rationalValue } from './media/rational.ts'
import { kindOfInput, type VideoInput } from './media/video-input.ts'
import { checkTogether, predictMedia, spanOf, videoTable, type Predictor, type PredictVideoOptions } from './predict-video.ts'
import { drawSeed } from './random/seed.ts'
import { usualStride } from './reframe.ts'
import { attentionPage } from './report/attention-page.ts'
import { shotsOption, type ShotOptions } from './shots/shot-options.ts'

/** What a report tells, and how. */
export interface ReportOptions extends Omit<PredictVideoOptions, 'estimates' | 'uncertainty' | 'activity' | 'shots'> {
  /** A map for every stride-th frame. Default: about five maps a second. */
  stride?: number | undefined
  /** Boxes in the picture that are asked about, 1 to 200, in pixels of the video's frame as it is shown. They may overlap. Default: none. */
  areas?: readonly ReportArea[] | undefined
  /** An area is looked at where the odds of its share of a map are so many times those of its share of the picture, 1 to 1000. Default 2. */
  look?: number | undefined
  /** How many regions to tell of that held attention, 0 to 100. Default 8. */
  regions?: number | undefined
  /** How to look for shots, in each of which regions begin anew; false: the video is one. Default true. */
  shots?: boolean | ShotOptions | undefined
  /** A file to write the report to: a page, `.html`, or `.json`. A file of that name is replaced once the report is whole. Default: none. */
  output?: string | undefined
}

const { estimates: _, uncertainty: __, activity: ___, shots: ____, ...ofVideos } = videoTable

const areas = { check: checkAreas } satisfies Option<readonly ReportArea[]>
const output = { check: (argument, value) => checkReportPath(argument, checkString(argument, value)) } satisfies Option<string>

/** What there is to know of {@link ReportOptions}. */
export const reportTable = {
  ...ofVideos,
  stride: integer(1, undefined, { help: 'predict every n-th frame' }),
  areas,
  look: number(1, 1000, {
    usual: 2,
    help: "how many times the odds of its share of the picture an area's share of the map must have, so that it is looked at",
  }),
  regions: integer(0, 100, { usual: 8, help: 'how many regions to tell of that held attention' }),
  shots: shotsOption({ usual: true, help: 'how to look for shots' }),
  output,
} satisfies OptionTable<ReportOptions>

/** Refuses a name that says neither of the forms of a report. */
export function checkReportPath(argument: string, path: string): string {
  if (!/\.(html?|json)$/i.test(path)) throw invalidArgument(argument, 'a file that ends in .html or .json', path)
  return path
}

/** `DiffSal.report`, which tells what is counted. */
export async function report(model: Predictor, input: VideoInput, options?: ReportOptions, ending?: AbortSignal): Promise<AttentionReport> {
  const checked = readReportOptions(model, options)
  const { output } = checked
  const signal = anySignal(checked.signal, ending)
  signal?.throwIfAborted()
  const found = kindOfInput(input)
  if (output !== undefined) {
    if (found.kind === 'file') await checkNoInput(output, [found.path])
    await checkWritable(output)
  }
  return withMedia(input, { ...checked, signal }, async (info) => {
    const made = await reportMedia(model, info, { ...checked, signal })
    if (output !== undefined) await writeWhole(output, reportText(output, made))
    return made
  })
}

/** Options that were read. */
export type ReadReportOptions = ReturnType<typeof readReportOptions>

/** Reads options, for a model. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT */
export function readReportOptions(model: Predictor, options: ReportOptions | undefined) {
  return checkTogether(model, readOptions<ReportOptions, typeof reportTable>('options', options, reportTable))
}

/** Refuses a file without a picture, and areas that it does not have. */
export function checkReportVideo(
  given: MediaInfo,
  { areas = [], start = 0, end = Number.POSITIVE_INFINITY }: Pick<ReportOptions, 'areas' | 'start' | 'end'>,
): VideoInfo {
  const info = withVideo(given, 'at which people could look')
  checkAreasFit('areas', areas, [info.video.height, info.video.width], [start, Math.min(end, info.duration ?? Number.POSITIVE_INFINITY)])
  return info
}

/**
 * As {@link report}, of an input that was opened already, and with options that were read; nothing is written.
 *
 * @param onFrame called while the pictures are taken, with the frames that were passed and how many there are
 */
export async function reportMedia(
  model: Predictor,
  given: MediaInfo,
  options: ReadReportOptions,
  onFrame?: (count: number, of: number) => void,
): Promise<AttentionReport> {
  const { areas = [], look, regions, output: _, stride: every, seed = drawSeed(), ...predicting } = options
  const info = checkReportVideo(given, options)
  const { video } = info
  // The pictures come last: whether they can be made shall be known before a video is predicted.
  openSharp()
  const stride = every ?? usualStride(video)
  const collector = new AttentionCollector([video.height, video.width], { areas, look, regions })
  const maps = predictMedia(model, info, { ...predicting, stride, seed, activity: false })
  try {
    for (;;) {
      const next = await maps.next()
      if (next.done) {
        if (next.value) collector.pass(next.value.times, next.value.marks)
        break
      }
      collector.see(next.value)
    }
  } finally {
    await maps.return(undefined)
  }
  const found = collector.end(1 / rationalValue(video.rate), spanOf(predicting)?.end ?? Number.POSITIVE_INFINITY)
  const frames = new Set([...found.regions, ...found.areas].flatMap(({ best }) => best?.frame ?? []))
  const pictures = await framePictures(info, frames, predicting, onFrame && ((count) => onFrame(count, Math.max(...frames) + 1)))
  return {
    name: info.path,
    ...found,
    ...{ stride, seed, look },
    regions: found.regions.map((region) => ({ ...region, picture: pictures.get(region.best.frame)! })),
    areas: found.areas.map((area) => ({ ...area, picture: area.best && pictures.get(area.best.frame)! })),
  }
}

/** A report as its file's name says: a page, or JSON with a map a line. */
export function reportText(path: string, made: AttentionReport, settings: object = {}): string {
  const title = basename(made.name)
  if (extname(path).toLowerCase() !== '.json') return attentionPage(title, made, settings)
  const { moments, ...rest } = made
  return `${JSON.stringify(rest, undefined, 2).slice(0, -2)},\n  "moments": [\n${moments.map((moment) => `    ${JSON.stringify(moment)}`).join(',\n')}\n  ]\n}\n`
}
