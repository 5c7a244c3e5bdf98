import { checkInteger, checkList, checkOptions, reading } from '../checks/options.ts'
import { checkSignal } from '../checks/signal.ts'
import type { DiffSalConfig } from '../config.ts'
import { clipMel } from '../datasets/clip-mel.ts'
import { silence, stack } from '../datasets/collate.ts'
import { melShape } from '../datasets/model-batches.ts'
import { soundingScenes, type SceneDataset, type SceneSample } from '../datasets/scenes.ts'
import type { DiffSal } from '../diffsal.ts'
import { invalidArgument } from '../errors.ts'
import type { ClipInput } from '../inputs.ts'
import { defaultSteps } from '../predict.ts'
import type { Tensor } from '../tensor.ts'
import { averageMap, meanTrueMap, shapeMap } from './maps.ts'
import type { SceneCue, SceneOptions } from './options.ts'
import { RowScores, type SceneRowScores } from './scene-scores.ts'

/** How {@link benchmarkScenes} measures. */
export interface SceneBenchmarkOptions extends Pick<SceneOptions, 'seed' | 'shapes' | 'hues'> {
  /** Scenes of the test split, at least 2. Default 500. */
  length?: number | undefined
  /** Numbers of denoising steps. Default [1, 2, 4, 10]. */
  steps?: readonly number[] | undefined
  /** Scenes that are predicted together. Default 8. */
  batch?: number | undefined
  /** Scenes of the training split whose mean map is what the sound alone allows. Default 2000. */
  priorScenes?: number | undefined
  /** How many scenes' pictures and maps come with the result, evenly spaced. Default 0. */
  pictures?: number | undefined
  /** Rejects with the signal's reason when aborted. */
  signal?: AbortSignal | undefined
  /** Called with the scenes that are done, and how many there are. What it throws rejects the benchmark. */
  onProgress?: ((done: number, total: number) => void) | undefined
}

/**
 * What a row's maps are made from. Ceilings: `pictures`, the mean of the maps of all shapes, the best that the pictures alone allow;
 * `sound`, the mean true map of other scenes, the best that the sound alone allows; `truth`, the true map itself. The model's maps:
 * `model`, with each scene's own sound; `other`, with the sound of the scene before; `silence`, with samples of zeros; `leftOut`, with no
 * sound given; `pitch` and `loudness`, with the sound of the same scene in which that is the only cue.
 */
export type SceneRowKind = 'pictures' | 'sound' | 'truth' | 'model' | 'other' | 'silence' | 'leftOut' | 'pitch' | 'loudness'

type ModelRowKind = Exclude<SceneRowKind, 'pictures' | 'sound' | 'truth'>
const modelRows = ['model', 'other', 'silence', 'leftOut', 'pitch', 'loudness'] as const satisfies readonly ModelRowKind[]

/** A row of the benchmark's table. */
export interface SceneRow extends SceneRowScores {
  /** What its maps are made from. */
  readonly kind: SceneRowKind
  /** Denoising steps; null of a ceiling. */
  readonly steps: number | null
}

/** A scene to look at. */
export interface ScenePicture {
  /** The scene's name. */
  readonly video: string
  /** The frame whose map it is, from 0. */
  readonly frame: number
  /** The clip, uint8 (T, H, W, 3). */
  readonly frames: Tensor<'uint8'>
  /** The true map, (1, H, W). */
  readonly target: Tensor<'float32'>
  /** Maps (1, H, W) of `comparedSteps` steps. */
  readonly maps: readonly SceneMap[]
}

/** What a model made of a scene. */
export interface SceneMap {
  /** What the map is made from. */
  readonly kind: SceneRowKind
  /** The map, float32 (1, H, W). */
  readonly map: Tensor<'float32'>
}

/** What {@link benchmarkScenes} found. */
export interface SceneBenchmark {
  /** Scenes. */
  readonly length: number
  /** The ceilings, the model at each number of steps, then the other sounds at `comparedSteps`. */
  readonly rows: readonly SceneRow[]
  /** The number of steps that other sounds are compared at: the model's default if it is one of `steps`, else the last of them. */
  readonly comparedSteps: number
  /** The share of hits of a guess: 1 / n for n shapes, averaged. */
  readonly chance: number
  /** Scenes to look at, as many as were asked for. */
  readonly pictures: readonly ScenePicture[]
}

/** What the benchmark needs of a model. */
export type SceneModel = Pick<DiffSal, 'config' | 'encode' | 'predict'>

const names = ['seed', 'shapes', 'hues', 'length', 'steps', 'batch', 'priorScenes', 'pictures', 'signal', 'onProgress'] as const
/** Of x_T, the same for every scene, so that scores can be had again. */
const noiseSeed = 1

/**
 * Measures on the test split of sounding scenes whether a model uses the sound: with the right sound, another scene's, silence, none,
 * and with either cue alone, beside what pictures alone and sound alone allow. All maps, the ceilings' too, are compared by the published
 * scoring chain of `metrics.score`. Size and clip length are the model's. Of a model that does not hear, or does not see, there are only
 * the rows that say something.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, and what `encode` and `predict` throw
 */
export async function benchmarkScenes(model: SceneModel, options?: SceneBenchmarkOptions): Promise<SceneBenchmark> {
  const { config } = reading('model', 'a model', () => {
    if (typeof model?.encode !== 'function' || typeof model.predict !== 'function') throw invalidArgument('model', 'a model', model)
    return model
  })
  const { steps, batch, priorScenes, pictures, signal, onProgress, ...style } = checkBenchmark(config, options)
  const scenes = { ...style, size: config.size, clipLength: config.clipLength, split: 'test', fixations: true } as const
  const dataset = soundingScenes(scenes)
  signal?.throwIfAborted()
  const heard = config.audio ? Object.fromEntries(cues.map((cue) => [cue, soundingScenes({ ...scenes, cues: [cue] })])) : {}
  const prior = await meanTrueMap(soundingScenes({ ...scenes, split: 'train', length: priorScenes }))
  const usual = defaultSteps(config)
  const comparedSteps = steps.includes(usual) ? usual : steps.at(-1)!
  const table = new Table(config, steps, comparedSteps)
  const parts = Math.min(pictures, dataset.length)
  const shown = new Map<number, { kind: SceneRowKind; map: Tensor<'float32'> }[]>()
  for (let part = 0; part < parts; part++) shown.set(Math.floor(((part + 0.5) * dataset.length) / parts), [])
  const found: ScenePicture[] = []
  let chance = 0
  let before = await readScene(config, dataset, {}, dataset.length - 1)

  for await (const [first, read] of sceneBatches(config, dataset, heard, batch)) {
    signal?.throwIfAborted()
    for (const [i, { sample }] of read.entries()) {
      await addCeilings(table, first + i, sample, prior)
      chance += 1 / sample.shapes.length / dataset.length
    }
    const others = [before, ...read.slice(0, -1)]
    before = read.at(-1)!
    for (const kind of table.kinds) {
      const features = await model.encode(inputOf(config, kind, read, others), { seed: noiseSeed, ...(signal && { signal }) })
      try {
        for (const { steps: count, scores } of table.of(kind)) {
          const { data } = await model.predict(features, { steps: count!, seed: noiseSeed, ...(signal && { signal }) })
          const pixels = data.length / read.length
          await Promise.all(
            read.map(async ({ sample }, i) => {
              const map = data.slice(i * pixels, (i + 1) * pixels)
              await scores.add(first + i, sample, map)
              if (count === comparedSteps) shown.get(first + i)?.push({ kind, map: { dtype: 'float32', shape: [1, ...config.size], data: map } })
            }),
          )
        }
      } finally {
        features.dispose()
      }
    }
    for (const [
      i,
      {
        sample: { video, frame, frames, target },
      },
    ] of read.entries()) {
      const maps = shown.get(first + i)
      if (maps !== undefined) found.push({ video, frame, frames, target, maps })
    }
    onProgress?.(first + read.length, dataset.length)
  }
  return { length: dataset.length, rows: table.rows(), comparedSteps, chance, pictures: found }
}

const cues: readonly SceneCue[] = ['pitch', 'loudness']

function checkBenchmark({ timesteps }: DiffSalConfig, given: SceneBenchmarkOptions | undefined) {
  const options = checkOptions('options', given, names)
  const { length = 500, steps = [1, 2, 4, 10], batch = 8, priorScenes = 2000, pictures = 0, signal, onProgress, ...style } = options
  // One scene has no other whose sound could be played with it.
  checkInteger('length', length, 2, 1_000_000)
  const counts = checkList('steps', steps, 'a list of numbers of denoising steps', 1).map((count, i) => checkInteger(`steps[${i}]`, count, 1, timesteps))
  if (new Set(counts).size < counts.length) throw invalidArgument('steps', 'a list without repeats', counts)
  checkInteger('batch', batch, 1, 65_536)
  checkInteger('priorScenes', priorScenes, 1, 1_000_000)
  checkInteger('pictures', pictures, 0, 1000)
  if (onProgress !== undefined && typeof onProgress !== 'function') throw invalidArgument('onProgress', 'a function', onProgress)
  return { ...style, length, steps: counts, batch, priorScenes, pictures, signal: checkSignal(signal), onProgress }
}

/** The rows as they fill. */
class Table {
  /** The model's rows' kinds, in order. */
  readonly kinds: readonly ModelRowKind[]
  readonly #rows: { readonly kind: SceneRowKind; readonly steps: number | null; readonly scores: RowScores }[] = []

  constructor({ video, audio }: DiffSalConfig, steps: readonly number[], comparedSteps: number) {
    // Without pictures, a sound that is left out leaves nothing to predict from.
    this.kinds = audio ? modelRows.filter((kind) => video || kind !== 'leftOut') : ['model']
    for (const kind of ['pictures', 'sound', 'truth'] as const) this.#rows.push({ kind, steps: null, scores: new RowScores() })
    for (const kind of this.kinds) {
      for (const count of kind === 'model' ? steps : [comparedSteps]) this.#rows.push({ kind, steps: count, scores: new RowScores() })
    }
  }

  of(kind: SceneRowKind) {
    return this.#rows.filter((row) => row.kind === kind)
  }

  rows(): SceneRow[] {
    const pictures = this.of('pictures')[0]!.scores
    return this.#rows.map(({ kind, steps, scores }) => ({ kind, steps, ...scores.scores(pictures) }))
  }
}

async function addCeilings(table: Table, index: number, sample: SceneSample, prior: Float32Array): Promise<void> {
  const [height, width] = sample.target.shape.slice(-2) as [number, number]
  const pictures = averageMap(sample.shapes.map((shape) => shapeMap(shape, height, width)))
  const ceilings = [
    ['pictures', pictures],
    ['sound', prior],
    ['truth', sample.target.data],
  ] as const
  await Promise.all(ceilings.map(([kind, map]) => table.of(kind)[0]!.scores.add(index, sample, map)))
}

/** A scene with the log-mel slices of its sounds: its own, and those of the scene with one cue. None for a model that does not hear. */
interface ReadScene {
  readonly sample: SceneSample
  readonly mels: Readonly<Partial<Record<'model' | SceneCue, Tensor<'float32'>>>>
  readonly silence: Tensor<'float32'> | undefined
}

/** Batches of scenes in order, each with its first one's number. The next is drawn while one is in use. */
async function* sceneBatches(
  config: DiffSalConfig,
  dataset: SceneDataset,
  cued: Readonly<Record<string, SceneDataset>>,
  batch: number,
): AsyncGenerator<[first: number, scenes: ReadScene[]], void, undefined> {
  const read = (first: number): Promise<ReadScene[]> => {
    const count = Math.max(0, Math.min(batch, dataset.length - first))
    const scenes = Promise.all(Array.from({ length: count }, (_, i) => readScene(config, dataset, cued, first + i)))
    // What it rejects with is met when it is awaited, a batch later.
    scenes.catch(() => undefined)
    return scenes
  }
  let next = read(0)
  for (let first = 0; first < dataset.length; first += batch) {
    const scenes = await next
    next = read(first + batch)
    yield [first, scenes]
  }
}

async function readScene(config: DiffSalConfig, dataset: SceneDataset, cued: Readonly<Record<string, SceneDataset>>, index: number): Promise<ReadScene> {
  const shape = melShape(config)
  const sample = await dataset.get(index)
  if (!shape) return { sample, mels: {}, silence: undefined }
  const mels: Record<string, Tensor<'float32'>> = { model: await clipMel(sample.audio!, shape) }
  for (const [cue, scenes] of Object.entries(cued)) mels[cue] = await clipMel((await scenes.get(index)).audio!, shape)
  return { sample, mels, silence: await clipMel(silence, shape) }
}

function inputOf({ video, audio }: DiffSalConfig, kind: ModelRowKind, scenes: readonly ReadScene[], others: readonly ReadScene[]): ClipInput {
  const words = scenes.map(({ sample }) => sample.video)
  const frames = video && {
    frames: stack(
      'frames',
      scenes.map(({ sample }) => sample.frames),
      'uint8',
      4,
      words,
    ),
  }
  if (!audio) return { ...frames }
  if (kind === 'leftOut') return { ...frames, audio: null }
  const mels = (): (Tensor<'float32'> | undefined)[] => {
    if (kind === 'silence') return scenes.map((scene) => scene.silence)
    if (kind === 'other') return others.map((scene) => scene.mels.model)
    return scenes.map((scene) => scene.mels[kind])
  }
  return {
    ...frames,
    mel: stack(
      'mel',
      mels().map((mel) => mel!),
      'float32',
      4,
      words,
    ),
  }
}
