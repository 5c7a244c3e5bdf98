import { Option } from 'commander'
import { presetNames, type Presets } from '../../presets.ts'
import { maxSeed } from '../../random/seed.ts'
import { integer } from './flags.ts'
import type { Weights } from './open-model.ts'

/** Which weights a command takes. */
export interface WeightsFlags {
  readonly weights?: string
  readonly preset?: keyof Presets
  readonly randomWeights?: number
}

/** The options that take trained weights. */
export function trainedWeightsOptions(): Option[] {
  return [
    new Option('--weights <file>', 'trained weights, safetensors or .pth (default: the preset gaze)'),
    new Option('--preset <name>', 'weights that ship with the package: gaze knows where people look, scenes only generated scenes')
      .choices(presetNames)
      .conflicts('weights'),
  ]
}

/** The options of {@link WeightsFlags}. */
export function weightsOptions(): Option[] {
  return [
    ...trainedWeightsOptions(),
    new Option('--random-weights <seed>', 'initial weights instead, to see that the program runs; the maps mean nothing')
      .argParser(integer(0, maxSeed))
      .conflicts(['weights', 'preset']),
  ]
}

/** The weights that were asked for. */
export function chooseWeights({ weights, preset, randomWeights }: WeightsFlags): Weights {
  if (weights !== undefined) return { file: weights }
  if (randomWeights !== undefined) return { random: randomWeights }
  return { preset: preset ?? 'gaze' }
}

/** What to know about weights that were not trained on eye tracking. */
export function noteOf(weights: Weights): string | undefined {
  if ('random' in weights) return `The weights are random (seed ${weights.random}), not trained: the maps show that the program runs, and mean nothing.`
  if ('preset' in weights && weights.preset === 'scenes')
    return 'The weights were trained on generated scenes, not on where people look: on a real video their maps mean nothing.'
  return undefined
}
