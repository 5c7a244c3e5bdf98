import type { Predictor } from '../../lib/predict-video.ts'

type Input = Parameters<Predictor['predict']>[0]
type Options = Parameters<Predictor['predict']>[1]

/** A model that remembers what it was asked and answers at once: the map of a clip is its 9th frame's red channel. */
export class FakeModel implements Predictor {
  readonly device = 'cpu'
  readonly precision = 'float32'
  readonly config: Predictor['config']
  readonly calls: { input: Input; options: Options }[] = []
  /** Called before every answer. */
  before: (() => unknown) | undefined
  /** Whether to remember. */
  remembers = true
  disposed = false

  constructor(config: Partial<Predictor['config']> = {}) {
    this.config = { size: [32, 64], clipLength: 16, video: true, audio: true, ...config }
  }

  async predict(input: Input, options: Options): ReturnType<Predictor['predict']> {
    if (this.remembers) this.calls.push({ input, options })
    await this.before?.()
    options.signal?.throwIfAborted()
    const steps = options.steps ?? 4
    for (let step = 1; step <= steps; step++) options.onProgress?.({ step, steps })
    const { size, clipLength } = this.config
    const pixels = size[0] * size[1]
    const count = input.frames?.shape[0] ?? input.audio!.length
    const data = new Float32Array(count * pixels)
    for (let b = 0; b < count; b++) {
      const middle = (b * clipLength + Math.floor(clipLength / 2)) * pixels * 3
      for (let i = 0; i < pixels; i++) {
        data[b * pixels + i] = input.frames ? input.frames.data[middle + 3 * i]! / 255 : (i % 97) / 97
      }
    }
    return { dtype: 'float32', shape: [count, 1, ...size], data }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true
  }
}
