import { anySignal } from './async/abort.ts'
import { AsyncResource } from 'node:async_hooks'
import { abortable } from './addon/cancel.ts'
import type { NativeModel } from './addon/native.ts'
import { checkInteger, checkOneOrEach } from './checks/options.ts'
import { priorityOption } from './checks/priority.ts'
import { callback, integer, later, number, readOptions, signal, yes, type OptionTable } from './checks/table.ts'
import { mostTimesteps, type DiffSalConfig } from './config.ts'
import { invalidArgument, invalidArgumentText } from './errors.ts'
import { isFeatures, nativeFeatures, type Features } from './features.ts'
import { checkInputs, checkShape, type ClipInput } from './inputs.ts'
import { checkSeeds, drawSeed } from './random/seed.ts'
import { checkTensor, type Tensor } from './tensor.ts'

/** How to sample a map. */
export interface PredictOptions {
  /** Denoising steps, 1 to T. Default: the configuration's `steps`, else 4; of a `released` model 1. */
  steps?: number | undefined
  /** 0: deterministic from the noise on (DDIM); up to 1, noise is added at each step (1: DDPM's). Default 0. */
  eta?: number | undefined
  /**
   * Decides the noise, 0 to 2^32 - 1: one for every sample, or one each. A sample's noise depends on its seed alone, not on the
   * batch. The same seed gives the same map, bit for bit, on one device with one number of threads. Default: drawn.
   */
  seed?: number | readonly number[] | undefined
  /** The noise x_T to start from, float32 (B, 1, H, W). Default: drawn. */
  noise?: Tensor<'float32'> | undefined
  /**
   * When its turn comes among the calls that wait for the model: `high` before all that are normal, `low` after them; of those that are alike the first
   * comes first. What the model is at work on is done to its end, so that a `high` one waits for one call at most. While there is always a more
   * urgent one, a `low` one waits. Default `normal`.
   */
  priority?: 'high' | 'normal' | 'low' | undefined
  /** Rejects with the signal's reason when aborted; the work stops at its next block. */
  signal?: AbortSignal | undefined
  /** Called after every step, counted from 1. What it throws rejects the prediction. */
  onProgress?: ((progress: PredictProgress) => void) | undefined
  /** Keep every step's estimate of the clean map S0; not together with `uncertainty`. Default false. */
  estimates?: boolean | undefined
  /**
   * Sample the clip this many times, 2 to 1000, from `seed`, `seed` + 1, …; the map is their mean, and how far they lie apart
   * comes with it. Not together with `noise` or `estimates`. Default: once.
   */
  uncertainty?: number | undefined
  /**
   * Give what the model hears where, too: each MAM stage's activity (eq. 9, figure 7) at the last step. It changes no bit of the map on the CPU. Of a model
   * whose `interaction` is `mim`, and clips with sound; not together with `uncertainty`. Default false.
   */
  activity?: boolean | undefined
  /**
   * Predict the clip twice from the same noise, as it is and mirrored left to right: the map is the mean of the first map and the second one mirrored back. Takes
   * twice as long. Of clips with frames, not of features; not together with `estimates`, `uncertainty` or `activity`. Default false.
   */
  mirror?: boolean | undefined
}

/** How far a prediction is. */
export interface PredictProgress {
  /** The step that has ended, from 1. */
  step: number
  /** How many there are; with `uncertainty` or `mirror`, those of all samples together. */
  steps: number
}

/** What a prediction gives where more than the map is asked for. */
export interface Prediction {
  /** float32 (B, 1, H, W), values 0 to 1; with `uncertainty`, the mean of the samples. */
  map: Tensor<'float32'>
  /** With `estimates`: float32 (steps, B, 1, H, W), the estimate of S0 at each step, the first step first. */
  estimates?: Tensor<'float32'>
  /** With `uncertainty`: float32 (B, 1, H, W), the population deviation of each pixel over the samples. */
  uncertainty?: Tensor<'float32'>
  /**
   * With `activity`: one tensor a MAM stage, coarse to fine, float32 (B, C_i, H / 2^i, W / 2^i) for i = 5, 4, 3, 2: eq. 9's softmax(Pool([f_v, f_s] ∘ f_a)) at the
   * last denoising step, whose noisy map is nearest to the result. Each row of each channel sums to 1: what is above 1 / width agrees with the sound more
   * than its row does. `maps.activity` makes one map of them.
   */
  activity?: Tensor<'float32'>[]
}

/** How many steps a sampling takes where nothing is said. */
export function defaultSteps({ dialect, steps }: Pick<DiffSalConfig, 'dialect' | 'steps'>): number {
  return steps ?? (dialect === 'released' ? 1 : 4)
}

/** The options that all who sample share; of a model with T times, 1 to T steps. */
export const samplingTable = (timesteps = mostTimesteps) => ({
  steps: integer(1, timesteps, { help: 'denoising steps' }),
  eta: number(0, 1, { usual: 0, help: 'randomness of the sampling, 0 to 1' }),
})

/** {@link PredictOptions.mirror}, of all that predict. */
export const mirrorOption = yes({ usual: false, help: 'predict each clip mirrored too, and take the mean of both maps' })

const table = (timesteps: number) =>
  ({
    ...samplingTable(timesteps),
    // What these must be depends on the clips.
    seed: later(),
    noise: later(),
    priority: priorityOption,
    signal,
    onProgress: callback(),
    estimates: yes({ usual: false }),
    uncertainty: integer(2, 1000),
    activity: yes({ usual: false }),
    mirror: mirrorOption,
  }) satisfies OptionTable<PredictOptions>

/** `DiffSal.predict` behind its overloads: the map alone, unless the options ask for more. */
export async function predict(
  model: NativeModel,
  config: DiffSalConfig,
  input: ClipInput | Features,
  given: PredictOptions | undefined,
): Promise<Tensor<'float32'> | Prediction> {
  const options = readOptions('options', given, table(config.timesteps))
  const { steps = defaultSteps(config), eta, seed = drawSeed(), onProgress, estimates, uncertainty, activity, mirror, priority, signal: stop } = options
  const clip = isFeatures(input) ? nativeFeatures(input, model) : checkInputs(config, input)
  const noise = options.noise === undefined ? undefined : checkMap('noise', options.noise, config, clip.batch)
  const seeds = checkSeeds(seed, clip.batch)
  if (activity) checkHearing(config)
  checkParts(options, config)
  if (mirror && !('inputs' in clip)) throw invalidArgument('mirror', 'false for features: they are not of the mirrored clip', mirror)
  if (uncertainty !== undefined && noise !== undefined) throw invalidArgumentText('noise', "left out where 'uncertainty' asks for several", 'a tensor')
  const run = { steps, eta, seeds, noise, estimates, activity, samples: uncertainty ?? 1, mirror, priority }
  const from = 'inputs' in clip ? clip.inputs : clip
  const prediction = await reporting(stop, onProgress, (stop, onStep) => abortable(stop, (cancel) => model.predict(from, run, cancel, onStep)))
  return estimates || activity || uncertainty !== undefined ? prediction : prediction.map
}

/** What one prediction cannot give together: the first is refused where the second is asked for. */
const apart = [
  ['estimates', 'uncertainty'],
  ['activity', 'uncertainty'],
  ['mirror', 'estimates'],
  ['mirror', 'uncertainty'],
  ['mirror', 'activity'],
] as const

/** Refuses what one prediction cannot give together, or not of this model; of options that were read. */
export function checkParts(options: Pick<PredictOptions, (typeof apart)[number][number]>, { video }: Pick<DiffSalConfig, 'video'>): void {
  if (options.mirror && !video) throw invalidArgument('mirror', 'false for a model that does not see', true)
  for (const [one, other] of apart) {
    if (options[one] && options[other]) throw invalidArgument(one, `false where '${other}' is asked for`, true)
  }
}

/** Refuses models that have no factor of eq. 9. */
function checkHearing({ audio, interaction }: DiffSalConfig): void {
  if (!audio) throw invalidArgument('activity', 'false for a model that does not hear', true)
  if (interaction !== 'mim')
    throw invalidArgument('activity', `false for a model whose interaction is '${interaction}': only 'mim' tells where it hears something`, true)
}

type OnStep = ((step: number, steps: number) => void) | undefined

/** Runs `start` so that what the caller's onProgress throws ends the work and is what the promise rejects with. */
function reporting<T>(
  signal: AbortSignal | undefined,
  onProgress: PredictOptions['onProgress'],
  start: (signal: AbortSignal | undefined, onStep: OnStep) => Promise<T>,
): Promise<T> {
  if (onProgress === undefined) return start(signal, undefined)
  // The addon calls from no context of its own; the caller's is the one that they expect.
  const report = AsyncResource.bind(onProgress)
  const failed = new AbortController()
  const stop = anySignal(signal, failed.signal)
  return start(stop, (step, steps) => {
    try {
      if (!stop.aborted) report({ step, steps })
    } catch (error) {
      failed.abort(error)
    }
  })
}

/** Refuses what is no float32 (batch, 1, H, W); gives what was checked. */
export function checkMap(argument: string, map: Tensor, { size }: DiffSalConfig, batch: number): Tensor<'float32'> {
  const checked = checkTensor(argument, map, ['float32'])
  checkShape(argument, checked.shape, [batch, 1, ...size])
  return checked
}

/** Diffusion times, 0 to T - 1: one for all of a batch's samples or one each. */
export function checkDiffusionTimes(t: unknown, batch: number, timesteps: number): Tensor<'int64'> {
  const times = checkOneOrEach('t', t, batch, (_, time) => checkInteger('t', time, 0, timesteps - 1))
  return { dtype: 'int64', shape: [batch], data: BigInt64Array.from(times, BigInt) }
}
