import { Command } from 'commander'
import { readWeights } from '../../checkpoint/read-weights.ts'
import type { PartialDiffSalConfig } from '../../config.ts'
import { filesMean } from '../../files/meaning.ts'
import { countParameters, type ParameterCount } from '../../parameter-count.ts'
import { elementCount } from '../../tensor.ts'
import { jsonText, print, printJson, printText } from '../terminal/print.ts'

/** The networks of the paper's tables 1 to 4 and 7 and figure 6, by what is not the default. */
export const variants: readonly (readonly [title: string, config: PartialDiffSalConfig])[] = [
  ['paper', {}],
  ['released', { dialect: 'released' }],
  ['video only', { audio: false }],
  ['released, video only', { dialect: 'released', audio: false }],
  ['audio only', { video: false }],
  ['attention sca', { attention: 'sca' }],
  ['attention none', { attention: 'none' }],
  ['interaction off', { interaction: 'off' }],
  ['interaction addition', { interaction: 'addition' }],
  ['interaction concatenation', { interaction: 'concatenation' }],
  ['interaction bilinear', { interaction: 'bilinear' }],
  ['interaction residual', { interaction: 'residual' }],
  ['1 MAM stage', { mamStages: 1 }],
  ['2 MAM stages', { mamStages: 2 }],
  ['3 MAM stages', { mamStages: 3 }],
  ['S3D', { videoEncoder: { name: 's3d' } }],
  ['Video Swin-T', { videoEncoder: { name: 'swin3d_t' } }],
  ['3D ResNet-50', { videoEncoder: { name: 'resnet3d_50' } }],
  ['clips of 32 frames', { clipLength: 32 }],
]

/** `diffsal inspect`: what a weights file holds, or how large the paper's variants are. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description("print a weights file's configuration, parameter counts and tensors; without a file, the counts of the paper's variants")
    .argument('[file]', 'safetensors or .pth')
    .option('--json', 'print one JSON object')
    .action(async (file: string | undefined, { json }: { json?: true }) => {
      if (file !== undefined) return inspectFile(file, json ?? false)
      if (json) printJson(variants.map(variantRow))
      else printText(variantTable())
    })
}

async function inspectFile(file: string, json: boolean): Promise<void> {
  const { config, tensors, unused, format } = await filesMean('weights', () => readWeights(file, undefined))
  const parameters = countParameters(config)
  const list = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape, elements: elementCount(shape) }))
  if (json) {
    printJson({ file, format, config, parameters, unused, tensors: list })
    return
  }
  const { total, ...each } = parameters
  print(`${file}: ${format}, ${list.length} tensors of ${million(list.reduce((sum, { elements }) => sum + elements, 0))}`, '', 'Configuration')
  printText(jsonText(config, 2))
  print('', `Parameters of its network: ${million(total)}`)
  for (const [part, count] of Object.entries(each)) print(`  ${part.padEnd(12)} ${million(count)}`)
  print('', 'Tensors')
  for (const { name, dtype, shape } of list) print(`  ${dtype.padEnd(4)} ${name} [${shape.join(', ')}]`)
  if (unused.length > 0) print('', `Unused: ${unused.join(', ')}`)
}

function variantRow([title, config]: (typeof variants)[number]): { title: string; config: PartialDiffSalConfig } & ParameterCount {
  return { title, config, ...countParameters(config) }
}

function variantTable(): string {
  const head = ['', 'video', 'audio', 'enhancement', 'decoder', 'total']
  const rows = variants.map(variantRow).map((row) => [row.title, row.video, row.audio, row.enhancement, row.decoder, row.total].map(String))
  const shown = rows.map(([title, ...counts]) => [title!, ...counts.map((count) => million(Number(count)))])
  return [head, ...shown].map(([title, ...counts]) => title!.padEnd(28) + counts.map((count) => count.padStart(12)).join('')).join('\n')
}

function million(count: number): string {
  return `${(count / 1e6).toFixed(2)} M`
}
