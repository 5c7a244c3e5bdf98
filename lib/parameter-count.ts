import { native } from './addon/native.ts'
import type { DiffSalConfig, PartialDiffSalConfig } from './config.ts'
import { resolveConfig } from './config.ts'
import { elementCount } from './tensor.ts'

/** One tensor of a model. */
export interface ParameterInfo {
  /** As in a checkpoint: `visual_net.blocks.0.attn.qkv.weight`. */
  name: string
  /** Sizes of its dimensions, outermost first. */
  shape: readonly number[]
  /** The type that the network holds it in. */
  dtype: 'float32'
  /** A running statistic: saved and loaded, but not trained. */
  buffer: boolean
}

/** Learned numbers of a network's parts; running statistics are not counted. */
export interface ParameterCount {
  /** The video encoder, `visual_net`. */
  readonly video: number
  /** VGGish, `audio_net`. */
  readonly audio: number
  /** The temporal enhancement, `spatiotemp_net`. */
  readonly enhancement: number
  /** The Saliency-UNet, `decoder_net`. */
  readonly decoder: number
  /** All of them. */
  readonly total: number
}

const parts = { visual_net: 'video', audio_net: 'audio', spatiotemp_net: 'enhancement', decoder_net: 'decoder' } as const

/**
 * Counts the parameters of a configuration's network, which is not made.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function countParameters(config?: PartialDiffSalConfig | DiffSalConfig): ParameterCount {
  const count = { video: 0, audio: 0, enhancement: 0, decoder: 0, total: 0 }
  for (const { name, shape, buffer } of native().parametersOf(resolveConfig(config))) {
    if (buffer) continue
    const elements = elementCount(shape)
    count[parts[name.slice(0, name.indexOf('.')) as keyof typeof parts]] += elements
    count.total += elements
  }
  return count
}
