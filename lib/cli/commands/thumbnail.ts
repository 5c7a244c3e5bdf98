import { extname } from 'node:path'
import { Command, Option } from 'commander'
import { invalidArgument } from '../../errors.ts'
import { filesMean } from '../../files/meaning.ts'
import { writeWhole } from '../../files/write-whole.ts'
import type { VideoInfo } from '../../media/media-info.ts'
import { cropSize } from '../../reframe/crop-size.ts'
import { readThumbnailOptions, thumbnailsOf, thumbnailTable } from '../../thumbnails.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { print, printJson } from '../terminal/print.ts'
import { addFlags, integer } from './flags.ts'
import { openModel } from './open-model.ts'
import type { ModelOpener } from './predict.ts'
import { addRunFlags, runVideo, type VideoFlags } from './video-run.ts'
import { nameOf, sourceWords } from './video-source.ts'

interface ThumbnailFlags extends VideoFlags {
  readonly count: number
  readonly aspect?: number
  readonly apart?: number
  readonly output?: string
}

const notes = `
The name's ending says what is written: .png, .jpg or .jpeg. Of several pictures each name has its number, the best first: clip-1.jpg, clip-2.jpg.
Without -o they are <name>-thumbnail.jpg in this folder. Files of the same names are replaced.

  diffsal thumbnail clip.mp4 -n 4 --aspect 16:9 -o clip.jpg`

/** `diffsal thumbnail`: the pictures of a video in which people look at one place most. */
export function thumbnailCommand(open: ModelOpener = openModel): Command {
  const command = new Command('thumbnail')
    .description('take the frames in which people look at one place most')
    .argument('<input>', `the video: ${sourceWords}`)
  addFlags(command, thumbnailTable, ['aspect', 'apart'], { apart: `${thumbnailTable.apart.help} (default: half of what the video has for each)` })
  command
    .addOption(new Option('-n, --count <n>', 'how many').argParser(integer(1, 100)).default(thumbnailTable.count.usual))
    .option('-o, --output <file>', 'the picture to write: .png, .jpg or .jpeg')
  return addRunFlags(command)
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action((input: string, flags: ThumbnailFlags) => interruptible((signal) => thumbnail(input, flags, open, signal)))
}

async function thumbnail(input: string, flags: ThumbnailFlags, open: ModelOpener, signal: AbortSignal): Promise<void> {
  const { aspect, apart, count, output = `${nameOf(input)}-thumbnail.jpg` } = flags
  const ending = extname(output)
  const format = formats[ending.toLowerCase()]
  if (format === undefined) throw invalidArgument('-o', `a file that ends in ${Object.keys(formats).join(', ')}`, output)
  const names = Array.from({ length: count }, (_, i) => (count === 1 ? output : `${output.slice(0, -ending.length)}-${i + 1}${ending}`))
  const outputs = names.map((path) => ({ kind: 'picture', path, flag: '-o' }))
  const check = ({ video }: VideoInfo): void => void (aspect !== undefined && cropSize(video, aspect))
  await runVideo(input, flags, open, signal, { outputs, check }, async ({ model, info, options, warnings, weights, note }) => {
    const found = await filesMean('input', () => thumbnailsOf(model, info, readThumbnailOptions(model, { ...options, count, aspect, apart, format })))
    await filesMean('output', async () => {
      for (const [i, { data }] of found.entries()) await writeWhole(names[i]!, data)
    })
    const pictures = found.map(({ frame, time, confidence, size }, i) => ({ path: names[i]!, frame, time, confidence, size }))
    if (flags.json) {
      printJson({
        input: info.path,
        pictures,
        stride: options.stride,
        seed: options.seed,
        weights,
        ...(note !== undefined && { note }),
        device: model.device,
        warnings,
      })
    } else {
      print(...pictures.map(({ path, frame, time, size }) => `Wrote frame ${frame}, at ${time.toFixed(2)} s, as '${path}', ${size[1]} × ${size[0]}.`))
    }
  })
}

const formats: Readonly<Record<string, 'png' | 'jpeg'>> = { '.png': 'png', '.jpg': 'jpeg', '.jpeg': 'jpeg' }
