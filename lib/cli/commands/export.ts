import { Command, Option } from 'commander'
import { DiffSal } from '../../diffsal.ts'
import { onnxPaths } from '../../export-onnx.ts'
import { filesMean } from '../../files/meaning.ts'
import { presetNames, presets, type Presets } from '../../presets.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { print, printJson } from '../terminal/print.ts'
import { checkPlaces } from './outputs.ts'

interface ExportFlags {
  readonly weights?: string
  readonly preset?: keyof Presets
  readonly json?: true
}

const notes = `
model.onnx gives model.encode.onnx, which is run once a clip, and model.denoise.onnx, which is run once a denoising step. Both take one clip and hold their weights.
The steps between are the caller's: 'schedule' of the package has their times and formula.`

/** `diffsal export`: a network as two ONNX graphs. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write a network as ONNX, for other runtimes')
    .argument('<output>', 'the name: model.onnx')
    .addOption(new Option('--weights <file>', 'trained weights, safetensors or .pth (default: the preset gaze)'))
    .addOption(new Option('--preset <name>', 'weights that ship with the package').choices(presetNames).conflicts('weights'))
    .option('--json', 'print one JSON object on standard output')
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action((output: string, flags: ExportFlags) => interruptible((signal) => run(output, flags, signal)))
}

async function run(output: string, { weights = '', preset = 'gaze', json }: ExportFlags, signal: AbortSignal): Promise<void> {
  const source = weights === '' ? presets[preset].weights : weights
  const paths = onnxPaths(output)
  await filesMean('output', () =>
    checkPlaces(
      [
        { kind: 'npy', path: paths.encode },
        { kind: 'npy', path: paths.denoise },
      ],
      [source],
    ),
  )
  await using model = await filesMean('weights', () => DiffSal.load(source, { device: 'cpu', signal }))
  const files = await filesMean('output', () => model.exportOnnx(output, { signal }))
  if (json) printJson(files)
  else print(`Wrote '${files.encode}' and '${files.denoise}', of ONNX's opset ${files.opset}.`)
}
