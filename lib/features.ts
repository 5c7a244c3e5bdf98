import type { NativeFeatures, NativeModel } from './addon/native.ts'
import { fixed } from './checks/fixed.ts'
import { DiffSalError, madeBy } from './errors.ts'
import type { Tensor } from './tensor.ts'

const ours = Symbol('features')

/** Features of a handle that `model` made. */
export let makeFeatures: (native: NativeFeatures, model: NativeModel) => Features

/** Whether a value is {@link Features}, whatever prototype it has. */
export let isFeatures: (value: unknown) => value is Features

/** The native handle of features that `model` made; refuses disposed ones and another model's. */
export let nativeFeatures: (features: Features, model: NativeModel) => NativeFeatures

/** The maps of a model's encoders. B clips of T frames of H × W. */
export interface FeatureTensors {
  /** Coarse to fine, float32 (B, C_i, T / 2, H / 2^i, W / 2^i) for i = 5, 4, 3, 2; zeros of a model that does not see. */
  video: Tensor<'float32'>[]
  /** float32 (B, C, T / 2 + 1, H / 32, W / 32); null where there was no sound. */
  audio: Tensor<'float32'> | null
}

/**
 * What a model's encoders made of a clip (or a batch): the conditions of every denoising step, kept in native memory until
 * disposed or collected. Made by `DiffSal.encode`.
 */
export class Features {
  /** How many clips. */
  readonly batch: number
  readonly #native: NativeFeatures
  readonly #model: NativeModel
  #disposed = false

  private constructor(key: symbol, native: NativeFeatures, model: NativeModel) {
    if (key !== ours) throw madeBy('Features', 'DiffSal.encode')
    this.batch = native.batch
    this.#native = native
    this.#model = model
    fixed(this, 'batch')
  }

  /**
   * Copies of the maps.
   *
   * @throws DiffSalError ERR_DIFFSAL_DISPOSED
   */
  async tensors(): Promise<FeatureTensors> {
    this.#checkAlive()
    return this.#native.tensors()
  }

  /** Frees the native memory. Work that already uses it ends first; disposing twice does nothing. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#native.dispose()
  }

  /** {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  #checkAlive(): void {
    if (this.#disposed) throw new DiffSalError('ERR_DIFFSAL_DISPOSED', "These 'features' were disposed.", { argument: 'features' })
  }

  static {
    makeFeatures = (native, model) => new Features(ours, native, model)
    isFeatures = (value): value is Features => typeof value === 'object' && value !== null && #native in value
    nativeFeatures = (features, model) => {
      features.#checkAlive()
      if (features.#model !== model) {
        throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', "'features' were encoded by another model; encode the clip with this one.", {
          argument: 'features',
          expected: 'features of this model',
          received: 'features of another model',
        })
      }
      return features.#native
    }
  }
}
