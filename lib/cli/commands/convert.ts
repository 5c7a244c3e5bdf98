import { Command, Option } from 'commander'
import type { WeightsDType } from '../../addon/native.ts'
import { readWeights } from '../../checkpoint/read-weights.ts'
import { DiffSal } from '../../diffsal.ts'
import { DiffSalError, invalidArgumentText } from '../../errors.ts'
import { filesMean } from '../../files/meaning.ts'
import { print } from '../terminal/print.ts'

/** `diffsal convert`: a checkpoint of any kind that is read, as safetensors with its configuration. */
export function convertCommand(): Command {
  return new Command('convert')
    .description('write a checkpoint (.pth or safetensors) as safetensors with its configuration in the metadata')
    .argument('<in>', 'the checkpoint')
    .argument('<out>', 'the file to write: .safetensors')
    .addOption(new Option('--dtype <type>', 'what the file holds the weights as').choices(['float32', 'float16', 'bfloat16']).default('float32'))
    .action(async (input: string, output: string, { dtype }: { dtype: WeightsDType }) => {
      if (!output.endsWith('.safetensors')) throw invalidArgumentText('out', 'a name that ends in .safetensors', `'${output}'`)
      const { from } = await filesMean('weights', () => readWeights(input, undefined))
      if (!('path' in from)) {
        const message = `'${input}' holds an encoder alone, and a file for the whole network would be mostly initial weights. Name it under 'pretrained', in the configuration of diffsal train or the options of DiffSal.create.`
        throw new DiffSalError('ERR_DIFFSAL_CHECKPOINT', message, { argument: 'in' })
      }
      const model = await filesMean('weights', () => DiffSal.load(input, { device: 'cpu' }))
      try {
        await filesMean('output', () => model.save(output, { dtype }))
      } finally {
        await model.dispose()
      }
      print(`Wrote '${output}'.`)
    })
}
