import { Command } from 'commander'
import { checkAreas, type ReportArea } from '../../attention/areas.ts'
import type { AreaAttention, AttentionReport } from '../../attention/attention.ts'
import { checkReportPath, checkReportVideo, readReportOptions, reportMedia, reportTable, reportText, type ReportOptions } from '../../attention-report.ts'
import { inFile } from '../../checks/fields.ts'
import { parseJsonFile } from '../../files/json.ts'
import { filesMean } from '../../files/meaning.ts'
import { readText } from '../../files/regular-file.ts'
import { writeWhole } from '../../files/write-whole.ts'
import { durationText } from '../../report/duration.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import type { MapProgress } from '../terminal/map-progress.ts'
import { print, printJson } from '../terminal/print.ts'
import { addFlags } from './flags.ts'
import { openModel } from './open-model.ts'
import type { ModelOpener } from './predict.ts'
import { addRunFlags, runVideo, type VideoFlags } from './video-run.ts'
import { nameOf, sourceWords } from './video-source.ts'

interface ReportFlags extends VideoFlags, Pick<ReportOptions, 'look' | 'regions'> {
  readonly output?: string
  readonly areas?: string
}

const notes = `
The name's ending says what is written: a page, .html, or .json, which has every map's numbers. Without -o it is <name>-report.html in this folder.
A file of the same name is replaced. The areas are a list, in pixels of the video's frame as it is shown; from and to, in seconds, may be left out:

  [
    { "name": "logo", "x": 20, "y": 10, "width": 80, "height": 40 },
    { "name": "button", "x": 200, "y": 150, "width": 60, "height": 20, "from": 2, "to": 5 }
  ]

  diffsal report clip.mp4 --areas areas.json -o report.html`

/** `diffsal report`: what a video's maps say of attention, of regions and of areas. */
export function reportCommand(open: ModelOpener = openModel): Command {
  const command = new Command('report')
    .description('tell how much attention regions and areas of a video get, and when')
    .argument('<input>', `the video: ${sourceWords}`)
    .option('--areas <file>', 'boxes in the picture that are asked about, as JSON')
    .option('-o, --output <file>', 'the report to write: .html or .json')
  addFlags(command, reportTable, ['look', 'regions'])
  return addRunFlags(command)
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action((input: string, flags: ReportFlags) => interruptible((signal) => report(input, flags, open, signal)))
}

async function report(input: string, flags: ReportFlags, open: ModelOpener, signal: AbortSignal): Promise<void> {
  const begun = performance.now()
  const { output = `${nameOf(input)}-report.html`, areas: file, look, regions } = flags
  checkReportPath('-o', output)
  const areas = file === undefined ? undefined : await readAreas(file)
  const outputs = [{ kind: 'report', path: output, flag: '-o' }]
  const check = (info: Parameters<typeof checkReportVideo>[0]): void => {
    const fits = (): unknown => checkReportVideo(info, { areas, start: flags.start, end: flags.end })
    if (file === undefined) fits()
    else inFile(file, fits)
  }
  await runVideo(
    input,
    flags,
    open,
    signal,
    { outputs, reads: file === undefined ? [] : [file], check },
    async ({ model, info, options, show, warnings, weights, note }) => {
      let progress: MapProgress | undefined
      const onFrame = (count: number, of: number): void => {
        progress ??= show(of, { doing: 'Taking pictures', unit: 'frames' })
        progress.maps(count)
      }
      const made = await filesMean('input', () => reportMedia(model, info, readReportOptions(model, { ...options, areas, look, regions }), onFrame))
      await filesMean('output', () => writeWhole(output, reportText(output, made, { input: info.path, weights })))
      const seconds = Math.round(performance.now() - begun) / 1000
      if (flags.json) {
        const { moments: _, regions: held, areas: asked, ...rest } = made
        const withoutPictures = <T extends { picture: unknown }>({ picture: __, ...one }: T): Omit<T, 'picture'> => one
        printJson({
          input: info.path,
          output,
          ...rest,
          regions: held.map(withoutPictures),
          areas: asked.map(withoutPictures),
          weights,
          ...(note !== undefined && { note }),
          device: model.device,
          warnings,
          seconds,
        })
      } else {
        print(...summary(info.path, made, seconds), `Wrote the report '${output}'.`)
      }
    },
  )
}

/** The areas of a file. */
async function readAreas(file: string): Promise<ReportArea[]> {
  const given = parseJsonFile(file, await filesMean('input', () => readText(file, 1 << 20)))
  return inFile(file, () => checkAreas('areas', given))
}

function summary(input: string, { maps, shots, concentration, regions, areas, seed }: AttentionReport, seconds: number): string[] {
  const [first] = regions
  return [
    `${maps} ${maps === 1 ? 'map' : 'maps'} and ${shots.length} ${shots.length === 1 ? 'shot' : 'shots'} of '${input}' in ${durationText(seconds)}, seed ${seed}. Mean concentration ${concentration.mean.toFixed(2)}.`,
    ...(first === undefined
      ? []
      : [
          `The region that held most attention: ${first.dwell.toFixed(2)} s between ${first.start.toFixed(2)} and ${first.end.toFixed(2)} s, about pixel ${first.place.x.toFixed(0)}, ${first.place.y.toFixed(0)}.`,
        ]),
    ...areas.map(areaLine),
  ]
}

function areaLine({ name, share, size, dwell, firstLook }: AreaAttention): string {
  const held =
    share === null ? 'never there' : `${(100 * share).toFixed(1)} % of attention on ${(100 * size).toFixed(1)} % of the picture, ${dwell.toFixed(2)} s`
  return `  ${name}: ${held}; ${firstLook === null ? 'no look at it' : `first look at ${firstLook.toFixed(2)} s`}.`
}
