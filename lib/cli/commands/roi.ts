import { Command } from 'commander'
import { filesMean } from '../../files/meaning.ts'
import { writeWhole } from '../../files/write-whole.ts'
import { checkFilter } from '../../media/ffmpeg-filters.ts'
import { qualityFilter } from '../../quality-filter.ts'
import { qualityRegionsOf, qualityTable, readQualityOptions } from '../../quality-regions.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { print, printJson } from '../terminal/print.ts'
import { addFlags } from './flags.ts'
import { openModel } from './open-model.ts'
import type { ModelOpener } from './predict.ts'
import { addRunFlags, runVideo, type VideoFlags } from './video-run.ts'
import { nameOf, sourceWords } from './video-source.ts'

interface RoiFlags extends VideoFlags {
  readonly strength?: number
  readonly every?: number
  readonly output?: string
}

const notes = `
What is written is a filter graph for ffmpeg 4.2 or later; libx264 and libx265 then spend more of the same bits where people look. Without -o it is
<name>-roi.txt in this folder. A file of the same name is replaced.

  diffsal roi clip.mp4 -o roi.txt
  ffmpeg -i clip.mp4 -filter_complex_script roi.txt -map '[v]' -map '0:a?' -c:a copy -c:v libx264 -b:v 500k smaller.mp4`

/** `diffsal roi`: quality offsets for an encoder, by where people look. */
export function roiCommand(open: ModelOpener = openModel): Command {
  const command = new Command('roi')
    .description('write quality offsets for x264 and x265, by where people look')
    .argument('<input>', `the video: ${sourceWords}`)
  addFlags(command, qualityTable, ['strength', 'every'])
  command.option('-o, --output <file>', 'the filter graph to write')
  return addRunFlags(command)
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action((input: string, flags: RoiFlags) => interruptible((signal) => roi(input, flags, open, signal)))
}

async function roi(input: string, flags: RoiFlags, open: ModelOpener, signal: AbortSignal): Promise<void> {
  const { strength, every, output = `${nameOf(input)}-roi.txt` } = flags
  const outputs = [{ kind: 'filter', path: output, flag: '-o' }]
  await runVideo(
    input,
    flags,
    open,
    signal,
    { outputs, check: () => checkFilter('addroi', '4.2') },
    async ({ model, info, options, warnings, weights, note }) => {
      const found = await filesMean('input', () => qualityRegionsOf(model, info, readQualityOptions(model, { ...options, strength, every })))
      await filesMean('output', () => writeWhole(output, qualityFilter(found)))
      if (flags.json) {
        printJson({
          input: info.path,
          ...found,
          stride: options.stride,
          seed: options.seed,
          weights,
          ...(note !== undefined && { note }),
          device: model.device,
          outputs: [{ kind: 'filter', path: output }],
          warnings,
        })
      } else {
        print(
          `Found the regions of ${found.segments.length} ${found.segments.length === 1 ? 'part' : 'parts'} of '${info.path}'.`,
          `Wrote the filter graph '${output}'.`,
        )
      }
    },
  )
}
