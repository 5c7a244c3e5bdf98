import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { datasets, DiffSal, type ClipInput, type Features, type PredictOptions } from '../../lib/index.ts'
import { resolveConfig, type PartialDiffSalConfig } from '../../lib/config.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { trainingConfig, trainingRun } from '../support/training.ts'

const form = { size: [32, 64], clipLength: 8 } as const
const small = { length: 6, batch: 4, priorScenes: 50 }

type Answer = (index: number, heard: 'nothing' | 'something') => Promise<Float32Array>

/** A model that knows scenes by their frames and answers as it is told; it remembers what it was asked. */
class ScriptedModel {
  readonly config
  readonly asked: { readonly mel: ClipInput['mel']; readonly audio: ClipInput['audio']; readonly first: number; readonly count: number }[] = []
  readonly predicted: PredictOptions[] = []
  alive = 0
  readonly #answer: Answer
  readonly #next = new Map<string, number>()

  constructor(answer: Answer, config: PartialDiffSalConfig = {}) {
    this.#answer = answer
    this.config = resolveConfig({ ...trainingConfig, ...config })
  }

  /** @param frames of the scenes in order */
  knowing(frames: readonly Uint8Array[]): this {
    frames.forEach((one, i) => this.#next.set(Buffer.from(one).toString('base64'), i))
    return this
  }

  async encode({ frames, mel, audio }: ClipInput): Promise<Features> {
    const count = frames!.shape[0]!
    const first = this.#next.get(Buffer.from((frames!.data as Uint8Array).subarray(0, frames!.data.length / count)).toString('base64'))!
    this.asked.push({ mel, audio, first, count })
    this.alive += 1
    const dispose = (): void => void (this.alive -= 1)
    return { batch: count, first, heard: mel === undefined ? 'nothing' : 'something', dispose } as unknown as Features
  }

  async predict(features: Features, options: PredictOptions) {
    const { batch, first, heard } = features as unknown as { batch: number; first: number; heard: 'nothing' | 'something' }
    this.predicted.push(options)
    const maps = await Promise.all(Array.from({ length: batch }, (_, i) => this.#answer(first + i, heard)))
    const data = new Float32Array(maps.length * 2048)
    maps.forEach((map, i) => data.set(map, i * 2048))
    return { dtype: 'float32', shape: [batch, 1, 32, 64], data }
  }

  get asModel(): datasets.SceneModel {
    return this as unknown as datasets.SceneModel
  }
}

const scenes = datasets.soundingScenes({ ...form, split: 'test', length: small.length })
const truth = async (index: number): Promise<Float32Array> => (await scenes.describe(index)).target.data
const frames: Uint8Array[] = []
beforeAll(async () => {
  for (let i = 0; i < scenes.length; i++) frames.push((await scenes.get(i)).frames.data)
})

const find = (rows: readonly datasets.SceneRow[], kind: datasets.SceneRowKind): datasets.SceneRow => rows.find((row) => row.kind === kind)!

describe('a model that knows the truth, but only where it hears', () => {
  let model: ScriptedModel
  let result: datasets.SceneBenchmark
  const done: [number, number][] = []
  beforeAll(async () => {
    model = new ScriptedModel(async (i, heard) => (heard === 'nothing' ? Float32Array.from(await truth(i), (value) => 1 - value) : truth(i))).knowing(frames)
    result = await datasets.benchmarkScenes(model.asModel, { ...small, steps: [1, 4], pictures: 2, onProgress: (...now) => done.push(now) })
  })

  test('scores what the true map itself scores, and always hits', () => {
    const [itself, right, without] = (['truth', 'model', 'leftOut'] as const).map((kind) => find(result.rows, kind)) as [
      datasets.SceneRow,
      datasets.SceneRow,
      datasets.SceneRow,
    ]
    for (const name of ['cc', 'sim', 'nss', 'aucJudd', 'hits', 'ccOverPictures'] as const) expect(right[name]).toEqual(itself[name])
    expect(right.cc.mean).toBeGreaterThan(0.98)
    expect(right.hits).toEqual({ mean: 1, error: 0 })
    expect(right.undefinedCount).toBe(0)
    expect(without.cc.mean).toBeLessThan(-0.98)
    expect(without.hits.mean).toBe(0)
  })

  test('has a row for each number of steps and for each other sound, and the ceilings in their order', () => {
    expect(result.rows.map(({ kind, steps }) => [kind, steps])).toEqual([
      ...(['pictures', 'sound', 'truth'] as const).map((kind) => [kind, null]),
      ...[
        ['model', 1],
        ['model', 4],
      ],
      ...(['other', 'silence', 'leftOut', 'pitch', 'loudness'] as const).map((kind) => [kind, 4]),
    ])
    expect(result).toMatchObject({ length: 6, comparedSteps: 4 })
    const [sound, pictures, itself] = (['sound', 'pictures', 'truth'] as const).map((kind) => find(result.rows, kind).cc.mean) as [number, number, number]
    expect(sound).toBeLessThan(pictures)
    expect(pictures).toBeLessThan(itself)
    expect(find(result.rows, 'pictures').ccOverPictures).toEqual({ mean: 0, error: 0 })
    expect(find(result.rows, 'truth').ccOverPictures.mean).toBeCloseTo(itself - pictures, 12)
    expect(result.chance).toBeGreaterThan(1 / 4)
    expect(result.chance).toBeLessThan(1 / 2)
  })

  test('encodes a batch once for all numbers of steps, and keeps nothing', () => {
    // Two batches, six sounds each; one of the sounds at two numbers of steps.
    expect(model.asked.map(({ first, count }) => [first, count])).toEqual([...Array(6).fill([0, 4]), ...Array(6).fill([4, 2])])
    expect(model.predicted.map(({ steps }) => steps)).toEqual([1, 4, 4, 4, 4, 4, 4, 1, 4, 4, 4, 4, 4, 4])
    expect(new Set(model.predicted.map(({ seed }) => seed))).toEqual(new Set([1]))
    expect(model.alive).toBe(0)
    expect(done).toEqual([
      [4, 6],
      [6, 6],
    ])
  })

  test('plays the sounds that the rows are called after', () => {
    const [right, other, silence, leftOut, pitch, loudness] = model.asked.slice(0, 6)
    const slices = (asked: typeof right, scene: number): number[] => [...asked!.mel!.data.subarray(scene * 5 * 16 * 32, (scene + 1) * 5 * 16 * 32)]
    expect([leftOut!.mel, leftOut!.audio]).toEqual([undefined, null])
    expect(new Set(slices(silence, 2))).toEqual(new Set([slices(silence, 0)[0]]))
    expect(slices(silence, 0)[0]).toBeCloseTo(Math.log(0.01), 3)
    // The scene before; of the first one the last.
    expect(slices(other, 1)).toEqual(slices(right, 0))
    expect(slices(other, 0)).toEqual(slices(model.asked[6], 1))
    expect(slices(model.asked[7], 0)).toEqual(slices(right, 3))
    for (const alone of [pitch, loudness]) expect(slices(alone, 0)).not.toEqual(slices(right, 0))
    expect(slices(pitch, 0)).not.toEqual(slices(loudness, 0))
  })

  test('gives pictures of evenly spaced scenes', async () => {
    expect(result.pictures.map(({ video }) => video)).toEqual(['scenes-0/test/1', 'scenes-0/test/4'])
    expect(result.pictures[1]!.maps.map(({ kind }) => kind)).toEqual(['model', 'other', 'silence', 'leftOut', 'pitch', 'loudness'])
    expect(result.pictures[1]!.maps[0]!.map.data).toEqual(await truth(4))
    expect(result.pictures[1]!.frames.data).toEqual(frames[4])
  })
})

test('the standard error is the deviation of the scenes over the root of their number', async () => {
  const flip = new ScriptedModel(async (i) => (i < 3 ? truth(i) : Float32Array.from(await truth(i), (value) => 1 - value))).knowing(frames)
  const { rows } = await datasets.benchmarkScenes(flip.asModel, { ...small, steps: [2] })
  const { hits, cc } = find(rows, 'model')
  expect(hits.mean).toBe(0.5)
  expect(hits.error).toBeCloseTo(Math.sqrt(0.3 / 6), 12)
  expect(cc.mean).toBeCloseTo(0, 2)
  expect(find(rows, 'silence').steps).toBe(2)
})

test('a map of one value is undefined and hits nothing', async () => {
  const flat = new ScriptedModel(async () => new Float32Array(2048)).knowing(frames)
  const { rows } = await datasets.benchmarkScenes(flat.asModel, { ...small, steps: [4] })
  expect(find(rows, 'model')).toMatchObject({ undefinedCount: 6, hits: { mean: 0 } })
  expect(find(rows, 'model').cc.mean).toBeNaN()
})

describe('with the network', () => {
  const opened: DiffSal[] = []
  afterAll(() => Promise.all(opened.map((model) => model.dispose())))
  const create = async (config: PartialDiffSalConfig): Promise<DiffSal> => {
    const model = await DiffSal.create({ ...trainingConfig, ...config }, trainingRun)
    opened.push(model)
    return model
  }
  const kinds = (rows: readonly datasets.SceneRow[]): string[] => rows.slice(3).map(({ kind, steps }) => `${kind} ${steps}`)

  test('a model whose sound changes nothing scores the same with every sound', async () => {
    const { rows } = await datasets.benchmarkScenes(await create({ interaction: 'off' }), { ...small, steps: [1] })
    expect(kinds(rows)).toEqual(['model 1', 'other 1', 'silence 1', 'leftOut 1', 'pitch 1', 'loudness 1'])
    const [model, ...others] = rows.slice(3).map(({ kind: _, ...scores }) => scores)
    for (const other of others) expect(other).toEqual(model)
  })

  test('a model that hears scores otherwise with another sound, and the same a second time', async () => {
    const model = await create({})
    const { rows } = await datasets.benchmarkScenes(model, { ...small, steps: [1] })
    expect(find(rows, 'other').cc).not.toEqual(find(rows, 'model').cc)
    expect(await datasets.benchmarkScenes(model, { ...small, steps: [1] })).toMatchObject({ rows })
    expect(model.memory().features).toBe(0)
  })

  test('a model that only sees, or only hears, has the rows that say something', async () => {
    const seeing = await datasets.benchmarkScenes(await create({ audio: false }), { ...small, steps: [1, 2] })
    expect(kinds(seeing.rows)).toEqual(['model 1', 'model 2'])
    expect(seeing.comparedSteps).toBe(2)
    const hearing = await datasets.benchmarkScenes(await create({ video: false }), { ...small, steps: [1] })
    expect(kinds(hearing.rows)).toEqual(['model 1', 'other 1', 'silence 1', 'pitch 1', 'loudness 1'])
  })

  test('options are checked, and a signal stops it', async () => {
    const model = await create({})
    const bad: [object, string][] = [
      [{ length: 1 }, 'length'],
      [{ steps: [] }, 'steps'],
      [{ steps: [1, 1] }, 'without repeats'],
      [{ steps: [0] }, 'integer from 1 to 1000'],
      [{ batch: 0 }, 'batch'],
      [{ pictures: -1 }, 'pictures'],
      [{ hues: 2 }, 'hues'],
      [{ step: [1] }, "'steps'"],
      [{ onProgress: 1 }, 'onProgress'],
      [{ signal: 1 }, 'signal'],
    ]
    for (const [options, word] of bad) await expectDiffSalError(() => datasets.benchmarkScenes(model, options), 'ERR_DIFFSAL_INVALID_ARGUMENT', word)
    const controller = new AbortController()
    const reason = new Error('enough')
    const onProgress = (): void => controller.abort(reason)
    await expect(datasets.benchmarkScenes(model, { ...small, steps: [1], signal: controller.signal, onProgress })).rejects.toBe(reason)
    expect(model.memory().features).toBe(0)
  })
})

describe('followsSound', () => {
  const track: datasets.SceneTrack = {
    ...{
      fps: 25,
      size: [64, 128],
      sigma: 6.4,
      shapes: [
        { kind: 'disc', hue: 0 },
        { kind: 'star', hue: 2 },
      ],
    },
    frames: [0, 0, 1, 1].map((sounding) => ({
      sounding,
      centres: [
        [20, 30],
        [100.5, 63.9],
      ],
    })),
  }
  const mapAt = (frame: number, x: number, y: number) => {
    const data = new Float32Array(16 * 32)
    data[y * 32 + x] = 1
    return { frame, tensor: { dtype: 'float32', shape: [1, 1, 16, 32], data } as const }
  }

  test('counts the maps that are highest at the sounding shape, at whatever size', async () => {
    const maps = [mapAt(0, 5, 7), mapAt(1, 25, 15), mapAt(2, 25, 15), mapAt(3, 9, 9)]
    expect(await datasets.followsSound(track, maps)).toEqual({ maps: 4, hits: 2, chance: 0.5 })
  })

  test('refuses what is no track, and maps of another video', async () => {
    await expectDiffSalError(() => datasets.followsSound({} as never, []), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'track')
    await expectDiffSalError(() => datasets.followsSound(track, [mapAt(4, 0, 0)]), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'another video')
  })
})
