// What users' programs are told by the types. Nothing here runs: `npm run typecheck` reads it.
import { expectTypeOf } from 'vitest'
import { DiffSal, DiffSalError, datasets, metrics, tensor } from '../../lib/index.ts'
import type {
  ClipInput,
  Dataset,
  DiffSalErrorCode,
  DType,
  Features,
  GroundTruth,
  PartialDiffSalConfig,
  Prediction,
  PredictOptions,
  SaliencyDataset,
  Scores,
  StepEvent,
  Tensor,
  Trainer,
  TrainingEvent,
  TrainingSample,
  VideoMap,
} from '../../lib/index.ts'

declare const model: DiffSal
declare const trainer: Trainer<DiffSal>
declare const features: Features
declare const clip: ClipInput
declare const map: Tensor<'float32'>

/** A tensor's data is the array of its dtype. */
export function tensors(any: Tensor): void {
  expectTypeOf<Tensor<'float32'>['data']>().toEqualTypeOf<Float32Array>()
  expectTypeOf<Tensor<'float64'>['data']>().toEqualTypeOf<Float64Array>()
  expectTypeOf<Tensor<'uint8'>['data']>().toEqualTypeOf<Uint8Array>()
  expectTypeOf<Tensor<'int64'>['data']>().toEqualTypeOf<BigInt64Array>()
  expectTypeOf<DType>().toEqualTypeOf<'float32' | 'float64' | 'uint8' | 'int64'>()
  expectTypeOf(tensor('uint8', [1], new Uint8Array(1))).toEqualTypeOf<Tensor<'uint8'>>()
  expectTypeOf(any.data).toEqualTypeOf<Float32Array | Float64Array | Uint8Array | BigInt64Array>()
  const sameOf = <D extends DType>(one: Tensor<D>): Tensor<D> => tensor(one.dtype, one.shape, one.data)
  expectTypeOf(sameOf(map)).toEqualTypeOf<Tensor<'float32'>>()
  // @ts-expect-error data of another dtype
  tensor('float32', [1], new Uint8Array(1))
  // @ts-expect-error no such dtype
  tensor('float16', [1], new Uint16Array(1))
}

/** `predict` gives a tensor, or an object where more is asked for. */
export async function predictions(options: PredictOptions, wanted: boolean): Promise<void> {
  expectTypeOf(await model.predict(clip)).toEqualTypeOf<Tensor<'float32'>>()
  expectTypeOf(await model.predict(features, { steps: 4, estimates: false })).toEqualTypeOf<Tensor<'float32'>>()
  expectTypeOf(await model.predict(clip, { uncertainty: undefined })).toEqualTypeOf<Tensor<'float32'>>()
  expectTypeOf(await model.predict(clip, { estimates: true })).toEqualTypeOf<Prediction>()
  expectTypeOf(await model.predict(clip, { uncertainty: 8, steps: 2 })).toEqualTypeOf<Prediction>()
  expectTypeOf(await model.predict(clip, { estimates: wanted })).toEqualTypeOf<Tensor<'float32'> | Prediction>()
  expectTypeOf(await model.predict(clip, options)).toEqualTypeOf<Tensor<'float32'> | Prediction>()
  expectTypeOf(await model.predict(clip, { activity: true })).toEqualTypeOf<Prediction>()
  expectTypeOf(await model.predict(clip, { activity: false })).toEqualTypeOf<Tensor<'float32'>>()
  expectTypeOf<Prediction['activity']>().toEqualTypeOf<Tensor<'float32'>[] | undefined>()
  expectTypeOf<Prediction['uncertainty']>().toEqualTypeOf<Tensor<'float32'> | undefined>()
  await model.predict({ frames: tensor('uint8', [16, 9, 9, 3], new Uint8Array(16 * 243)), audio: { samples: new Float32Array(9), sampleRate: 16_000 } })
  // @ts-expect-error pictures of another dtype
  await model.predict({ frames: tensor('float64', [1], new Float64Array(1)) })
  // @ts-expect-error a number
  await model.predict(clip, { steps: '4' })
  // @ts-expect-error a mistyped option
  await model.predict(clip, { step: 4 })
  // @ts-expect-error a mistyped part of the clip
  await model.predict({ frame: map })
  // @ts-expect-error no features
  await model.denoise(map, 0, clip)
}

/** A video's maps, one a frame. */
export async function videos(): Promise<void> {
  for await (const one of model.predictVideo('clip.mp4', { stride: 5 })) expectTypeOf(one).toEqualTypeOf<VideoMap>()
  expectTypeOf<Pick<VideoMap, 'frame' | 'time' | 'tensor'>>().toEqualTypeOf<{ frame: number; time: number; tensor: Tensor<'float32'> }>()
  expectTypeOf<VideoMap['size']>().toEqualTypeOf<readonly [number, number]>()
  expectTypeOf<VideoMap['uncertainty']>().toEqualTypeOf<Tensor<'float32'> | undefined>()
  expectTypeOf(model.predictVideo('clip.mp4')).toEqualTypeOf<AsyncGenerator<VideoMap, void, undefined>>()
  const scores = await metrics.score([{ video: 'a', frame: 0, tensor: map }], { truth: () => undefined })
  expectTypeOf(scores).toEqualTypeOf<Scores>()
  expectTypeOf(scores.mean.cc).toBeNumber()
  // @ts-expect-error no such option
  model.predictVideo('clip.mp4', { fps: 5 })
  // @ts-expect-error no such score
  scores.mean.auc
}

/** Configurations may be partial at both levels, and are checked at both. */
export async function configurations(): Promise<void> {
  const config: PartialDiffSalConfig = { size: [64, 96], videoEncoder: { depth: 4 }, interaction: 'bilinear', normalisation: { scale: 1 } }
  await DiffSal.create(config, { seed: 1, device: 'cuda:0' })
  await DiffSal.load('weights.safetensors', { config, signal: new AbortController().signal })
  expectTypeOf(model.config.videoEncoder.downscaleAt).toEqualTypeOf<readonly number[]>()
  // @ts-expect-error no such part
  await DiffSal.create({ encoder: {} })
  // @ts-expect-error no such field of a part
  await DiffSal.create({ videoEncoder: { layers: 4 } })
  // @ts-expect-error no such interaction
  await DiffSal.create({ interaction: 'sum' })
  // @ts-expect-error two numbers
  await DiffSal.create({ size: [64] })
  // @ts-expect-error a configuration does not change
  model.config.timesteps = 10
}

/** The codes are a closed union: a switch that forgets one does not compile. */
export function codes(error: unknown): string {
  if (!(error instanceof DiffSalError)) return 'not ours'
  expectTypeOf(error.argument).toEqualTypeOf<string | undefined>()
  const { code } = error
  switch (code) {
    case 'ERR_DIFFSAL_INVALID_ARGUMENT':
    case 'ERR_DIFFSAL_DISPOSED':
    case 'ERR_DIFFSAL_CHECKPOINT':
    case 'ERR_DIFFSAL_FILE':
    case 'ERR_DIFFSAL_NO_SPACE':
    case 'ERR_DIFFSAL_MEDIA':
    case 'ERR_DIFFSAL_FFMPEG_MISSING':
    case 'ERR_DIFFSAL_LIBTORCH_MISSING':
    case 'ERR_DIFFSAL_LIBTORCH_VERSION':
    case 'ERR_DIFFSAL_ADDON_MISSING':
    case 'ERR_DIFFSAL_DEVICE':
    case 'ERR_DIFFSAL_OVERRUN':
    case 'ERR_DIFFSAL_DIVERGED':
    case 'ERR_DIFFSAL_PEER':
    case 'ERR_DIFFSAL_OUT_OF_MEMORY':
      return code
    case 'ERR_DIFFSAL_INTERNAL':
      return 'please report'
    default:
      expectTypeOf(code).toBeNever()
      return code
  }
}

/** A code that is none is refused. */
export const isDisposed = (code: DiffSalErrorCode): boolean =>
  // @ts-expect-error a mistyped code
  code === 'ERR_DIFFSAL_DISPOSE'

/** Events are told apart by their type. */
export async function events(data: Dataset<TrainingSample>, held: SaliencyDataset): Promise<void> {
  for await (const event of trainer.fit(data, { epochs: 1, validate: { dataset: held, every: 2 } })) {
    expectTypeOf(event).toEqualTypeOf<TrainingEvent>()
    if (event.type === 'step') expectTypeOf(event).toEqualTypeOf<StepEvent>()
    else if (event.type === 'validation') expectTypeOf(event.scores.mean.nss).toBeNumber()
    else if (event.type === 'checkpoint') expectTypeOf(event.path).toBeString()
    else if (event.type === 'stop') expectTypeOf(event.best).toEqualTypeOf<number | null>()
    else expectTypeOf(event.type).toEqualTypeOf<'epoch'>()
    // @ts-expect-error not every event has one
    event.loss
  }
  // @ts-expect-error epochs are needed
  trainer.fit(data, { batch: 4 })
  // @ts-expect-error a dataset without truth cannot validate
  trainer.fit(data, { epochs: 1, validate: { dataset: data } })
  // @ts-expect-error no such loss
  model.trainer({ loss: 'l1' })
  // @ts-expect-error no such schedule
  model.trainer({ schedule: { kind: 'linear' } })
}

/** What holds native memory is disposed of by `using`. */
export async function disposal(): Promise<void> {
  await using one = await DiffSal.load()
  await using training = one.trainer()
  using encoded = await one.encode(clip)
  expectTypeOf(encoded.tensors()).resolves.toHaveProperty('video').toEqualTypeOf<Tensor<'float32'>[]>()
  expectTypeOf(one).toExtend<AsyncDisposable>()
  expectTypeOf(training).toExtend<AsyncDisposable>()
  expectTypeOf(encoded).toExtend<Disposable>()
}

/** A dataset of one's own is any object of the form. */
export async function ownDataset(): Promise<void> {
  class Mine implements SaliencyDataset {
    readonly length = 2
    readonly videos = ['a', 'b']
    readonly #size = [64, 96] as const

    async get(index: number): Promise<TrainingSample | null> {
      if (index > 0) return null
      const [height, width] = this.#size
      return {
        frames: tensor('uint8', [16, height, width, 3], new Uint8Array(16 * height * width * 3)),
        audio: null,
        target: tensor('float32', [1, height, width], new Float32Array(height * width)),
        fixations: undefined,
        video: 'a',
        frame: 8,
      }
    }

    truth(video: string): GroundTruth | undefined {
      return video === 'a' ? { density: tensor('float64', [1, 1], new Float64Array(1)), fixations: undefined } : undefined
    }
  }
  const mine = new Mine()
  for await (const { batch, position } of datasets.loadBatches(mine, { batch: 2, seed: 1, mel: model.melShape })) {
    await trainer.save('run.safetensors', { extra: position })
    await trainer.step(batch)
  }
  await model.evaluate(datasets.concatDatasets([mine, datasets.soundingScenes()]), { limit: undefined })
  const noTarget: Dataset<{ video: string }> = { length: 1, get: async () => ({ video: 'a' }) }
  // @ts-expect-error samples without pictures and map
  trainer.fit(noTarget, { epochs: 1 })
}
