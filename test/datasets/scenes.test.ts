import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { loadBatches } from '../../lib/datasets/prefetch.ts'
import { soundingScenes, type SceneDataset, type SceneSample, type SoundingScenesOptions } from '../../lib/datasets/scenes.ts'
import { cc } from '../../lib/metrics/metrics.ts'
import { pitchOf } from '../../lib/scenes/options.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { areas, correlation, loudness, soundOfFrames, strength } from '../support/scene-measures.ts'

const small = { size: [64, 96] } as const

async function read(dataset: SceneDataset, count: number): Promise<SceneSample[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => dataset.get(index)))
}

/** Whether arrays hold the same bytes: much quicker to know than how they differ. */
function same(a: Uint8Array | Float32Array, b: Uint8Array | Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

describe('scenes are drawn by number', () => {
  it('the same on every machine and in any order', async () => {
    const dataset = soundingScenes({ ...small, split: 'test', fixations: true })
    const inOrder: SceneSample[] = []
    for (let index = 0; index < 12; index++) inOrder.push(await dataset.get(index))
    const atOnce = await read(soundingScenes({ ...small, split: 'test', fixations: true }), 12)
    for (const [i, { frames, audio, ...rest }] of atOnce.entries()) {
      const { frames: pictures, audio: sound, ...described } = inOrder[i]!
      expect(rest).toEqual(described)
      expect(same(frames.data, pictures.data) && same(audio!.samples, sound!.samples)).toBe(true)
    }
    const { frames, audio, ...described } = inOrder[7]!
    expect(await dataset.describe(7)).toEqual(described)
    expect([frames.shape, audio!.samples.length]).toEqual([[16, 64, 96, 3], 10_240])
    // All that is drawn by lot, and the places to a tenth of a pixel.
    const choices = inOrder.map(({ shapes, soundingByFrame, fixations }) => [
      shapes.map(({ kind, hue, x, y, radius }) => [kind, hue, ...[x, y, radius].map((value) => Math.round(value * 10))]),
      soundingByFrame,
      [...fixations!.data.keys()].filter((at) => fixations!.data[at] !== 0),
    ])
    expect(createHash('sha256').update(JSON.stringify(choices)).digest('hex').slice(0, 16)).toBe('0e80385c50750d5f')
  })

  it('none twice: not in the other split, under another seed, or under another number', async () => {
    const seen = new Set<string>()
    let count = 0
    for (const split of ['train', 'validation', 'test'] as const) {
      for (const seed of [0, 1, 2 ** 32 - 1]) {
        const dataset = soundingScenes({ size: [32, 48], split, seed, length: 200 })
        for (let index = 0; index < 200; index++, count++) seen.add(JSON.stringify((await dataset.describe(index)).shapes))
      }
    }
    expect(seen.size).toBe(count)
  })

  it('with two to four shapes of different hues, all in the picture, and a change in a third', async () => {
    const dataset = soundingScenes({ size: [48, 84], split: 'train', length: 900 })
    const counts = [0, 0, 0, 0, 0]
    const kinds = new Set<string>()
    let changed = 0
    for (let index = 0; index < dataset.length; index++) {
      const { shapes, soundingByFrame, sounding, frame } = await dataset.describe(index)
      counts[shapes.length]! += 1
      shapes.forEach(({ kind }) => kinds.add(kind))
      expect(new Set(shapes.map(({ hue }) => hue)).size).toBe(shapes.length)
      for (const { x, y, radius } of shapes) {
        expect(Math.min(x, 84 - x, y, 48 - y)).toBeGreaterThanOrEqual(radius - 0.01)
      }
      expect([soundingByFrame.length, frame, soundingByFrame[8]]).toEqual([16, 8, sounding])
      const turns = soundingByFrame.filter((shape, k) => k > 0 && shape !== soundingByFrame[k - 1]).length
      expect(turns).toBeLessThanOrEqual(1)
      changed += turns
      for (const shape of new Set(soundingByFrame)) {
        expect(soundingByFrame.filter((one) => one === shape).length).toBeGreaterThanOrEqual(3)
      }
    }
    expect(changed / 900).toBeCloseTo(1 / 3, 1)
    for (const n of [2, 3, 4]) expect(counts[n]! / 900).toBeCloseTo(1 / 3, 1)
    expect(kinds.size).toBe(6)
  })

  it('as asked: shapes, hues, changes, frames, rate', async () => {
    const dataset = soundingScenes({ ...small, shapes: [5, 6], hues: 8, changes: 1, clipLength: 9, fps: 30, length: 30 })
    const hues = new Set<number>()
    for (let index = 0; index < 30; index++) {
      const { shapes, soundingByFrame, frame } = await dataset.describe(index)
      expect([5, 6]).toContain(shapes.length)
      shapes.forEach(({ hue }) => hues.add(hue))
      expect([new Set(soundingByFrame).size, soundingByFrame.length, frame]).toEqual([2, 9, 4])
    }
    expect([...hues].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    const { frames, audio } = await dataset.get(0)
    expect([frames.shape, audio!.samples.length]).toEqual([[9, 64, 96, 3], 4800])
  })
})

describe('the truth', () => {
  it('is a Gaussian on the shape that sounds, with twenty fixations', async () => {
    const dataset = soundingScenes({ ...small, split: 'test', fixations: true })
    for (const { target, fixations, shapes, sounding, video, frame } of await read(dataset, 20)) {
      expect([target.shape, fixations!.shape]).toEqual([
        [1, 64, 96],
        [1, 64, 96],
      ])
      const { x, y } = shapes[sounding]!
      const errors = target.data.map((value, at) => {
        const squared = ((at % 96) + 0.5 - x) ** 2 + (Math.floor(at / 96) + 0.5 - y) ** 2
        return Math.abs(value - Math.exp(-squared / (2 * 6.4 ** 2)))
      })
      expect(Math.max(...errors)).toBeLessThan(1e-4)
      expect(fixations!.data.reduce((sum, value) => sum + value, 0)).toBe(20)
      const distances = [...fixations!.data.keys()]
        .filter((at) => fixations!.data[at] !== 0)
        .map((at) => Math.hypot((at % 96) + 0.5 - x, Math.floor(at / 96) + 0.5 - y))
      expect(mean(distances)).toBeLessThan(12)
      const truth = (await dataset.truth(video, frame))!
      expect([truth.density!.shape, truth.density!.data]).toEqual([[64, 96], target.data])
      expect([truth.fixations!.shape, truth.fixations!.data]).toEqual([[64, 96], fixations!.data])
    }
    expect(dataset.videos).toHaveLength(500)
    expect(dataset.videos[12]).toBe('scenes-0/test/12')
    expect(await dataset.truth('scenes-0/test/12', 7)).toBeUndefined()
    for (const video of ['scenes-0/train/12', 'scenes-1/test/12', 'scenes-0/test/500', 'scenes-0/test/012', '']) {
      expect(await dataset.truth(video, 8)).toBeUndefined()
    }
  })

  it('makes batches, log-mel included', async () => {
    const dataset = soundingScenes({ ...small, length: 5, fixations: true })
    const batches = []
    for await (const one of loadBatches(dataset, { batch: 2, seed: 1, epochs: 1, mel: { size: [32, 48] } })) batches.push(one)
    expect(batches.map(({ samples }) => samples.length)).toEqual([2, 2, 1])
    const { frames, mel, target, fixations } = batches[0]!.batch
    const shapes = [frames, mel!, target, fixations!].map(({ shape }) => shape)
    expect(shapes).toEqual([
      [2, 16, 64, 96, 3],
      [2, 1, 9, 32, 48],
      [2, 1, 64, 96],
      [2, 1, 64, 96],
    ])
    // Different sounds, and more in them than silence.
    const [first, second] = [mel!.data.subarray(0, mel!.data.length / 2), mel!.data.subarray(mel!.data.length / 2)]
    expect(same(first, second)).toBe(false)
    expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(4)
  })
})

describe('the cues', () => {
  it("pitch: in each frame the pitch of one hue is heard, the sounding shape's", async () => {
    for (const hues of [3, 6, 8]) {
      const dataset = soundingScenes({ ...small, hues, shapes: [2, 3], changes: 1, split: 'test' })
      const pitches = Array.from({ length: hues }, (_, hue) => pitchOf(hue, hues))
      let heard = 0
      for (const sample of await read(dataset, 12)) {
        const level = loudness(sample)
        for (const [k, part] of soundOfFrames(sample).entries()) {
          if (level[k]! < 0.03) continue
          const found = pitches.map((pitch) => strength(part, pitch))
          expect(found.indexOf(Math.max(...found)), `${sample.video}, frame ${k}`).toBe(sample.shapes[sample.soundingByFrame[k]!]!.hue)
          heard += 1
        }
      }
      expect(heard).toBeGreaterThan(120)
    }
    expect([0, 5].map((hue) => pitchOf(hue, 6))).toEqual([150, expect.closeTo(6000, 6)])
  })

  it("pitch: exact over a whole clip, and no other shape's in it", async () => {
    for (const sample of await read(soundingScenes({ ...small, changes: 0, split: 'test' }), 30)) {
      const { samples } = sample.audio!
      const pitch = pitchOf(sample.shapes[sample.sounding]!.hue, 6)
      for (const [i, { hue }] of sample.shapes.entries()) {
        if (i !== sample.sounding) expect(strength(samples, pitchOf(hue, 6))).toBeLessThan(0.1 * strength(samples, pitch))
      }
      const near = [-0.1, -0.05, 0, 0.05, 0.1].map((off) => strength(sample.audio!.samples, pitch * (1 + off)))
      expect(near.indexOf(Math.max(...near))).toBe(2)
    }
  })

  it('pitch off: all sound alike', async () => {
    for (const sample of await read(soundingScenes({ ...small, cues: ['loudness'], split: 'test' }), 8)) {
      const found = [150, 400, Math.sqrt(150 * 6000), 1500, 4000].map((pitch) => strength(sample.audio!.samples, pitch))
      expect(found.indexOf(Math.max(...found))).toBe(2)
    }
  })

  /** Mean correlations of loudness and area, of the shapes that sound and of those that do not. */
  async function pulses(options: SoundingScenesOptions): Promise<{ sounding: number; silent: number }> {
    const found = { sounding: [] as number[], silent: [] as number[] }
    for (const sample of await read(soundingScenes({ ...small, changes: 0, split: 'test', ...options }), 60)) {
      const level = loudness(sample)
      for (const [i, area] of areas(sample).entries()) found[i === sample.sounding ? 'sounding' : 'silent'].push(correlation(area, level))
    }
    return { sounding: mean(found.sounding), silent: mean(found.silent) }
  }

  it('loudness: the sounding shape alone is as large as the sound is loud', async () => {
    const { sounding, silent } = await pulses({})
    expect(sounding).toBeGreaterThan(0.9)
    expect(Math.abs(silent)).toBeLessThan(0.25)
  })

  it('loudness off: no shape is', async () => {
    const { sounding, silent } = await pulses({ cues: ['pitch'] })
    expect(Math.abs(sounding)).toBeLessThan(0.25)
    expect(Math.abs(silent)).toBeLessThan(0.25)
    expect(Math.abs(sounding - silent)).toBeLessThan(0.2)
  })

  it('change the sound alone, and the sound never the picture', async () => {
    const styles = [{}, { cues: ['pitch'] }, { cues: ['loudness'] }, { cues: [] }, { changes: 1 }, { changes: 0 }] as const
    const samples = await Promise.all(styles.map((style) => soundingScenes({ ...small, ...style }).get(3)))
    for (const { frames, shapes } of samples) {
      expect(shapes).toEqual(samples[0]!.shapes)
      expect(same(frames.data, samples[0]!.frames.data)).toBe(true)
    }
    const sounds = samples.slice(0, 4).map(({ audio }) => audio!.samples)
    for (const [i, a] of sounds.entries()) for (const b of sounds.slice(0, i)) expect(same(a, b)).toBe(false)
  })
})

describe('the pictures alone', () => {
  it('tell nothing of what sounds', async () => {
    const dataset = soundingScenes({ size: [32, 48], shapes: [3, 3], length: 6000 })
    const order = [0, 0, 0]
    const largest = { x: 0, y: 0, radius: 0, hue: 0 }
    const central = [0, 0, 0]
    for (let index = 0; index < dataset.length; index++) {
      const { shapes, sounding } = await dataset.describe(index)
      order[sounding]! += 1
      for (const name of ['x', 'y', 'radius', 'hue'] as const) {
        const values = shapes.map((shape) => shape[name])
        if (values[sounding] === Math.max(...values)) largest[name] += 1
      }
      const far = shapes.map(({ x, y }) => Math.hypot(x - 24, y - 16))
      central[far.toSorted((a, b) => a - b).indexOf(far[sounding]!)]! += 1
    }
    // Each is a third, give or take three and a half standard deviations of the mean of 6000.
    for (const share of [...order, ...central, ...Object.values(largest)]) expect(Math.abs(share / 6000 - 1 / 3)).toBeLessThan(0.0213)
  })

  it('and the sounding shape of the second turn is any of the others', async () => {
    const dataset = soundingScenes({ size: [32, 48], shapes: [4, 4], changes: 1, length: 3000 })
    const steps = [0, 0, 0, 0]
    for (let index = 0; index < dataset.length; index++) {
      const { soundingByFrame } = await dataset.describe(index)
      steps[(soundingByFrame.at(-1)! - soundingByFrame[0]! + 4) % 4]! += 1
    }
    expect(steps[0]).toBe(0)
    for (const share of steps.slice(1)) expect(Math.abs(share / 3000 - 1 / 3)).toBeLessThan(0.03)
  })

  it('score no more than derived', async () => {
    const dataset = soundingScenes({ ...small, shapes: [2, 2], split: 'test' })
    const scores: number[] = []
    for (let index = 0; index < 100; index++) {
      const { target, shapes } = await dataset.describe(index)
      const both = Float32Array.from(target.data, (_, at) => {
        const squared = shapes.map(({ x, y }) => ((at % 96) + 0.5 - x) ** 2 + (Math.floor(at / 96) + 0.5 - y) ** 2)
        return squared.reduce((sum, value) => sum + Math.exp(-value / (2 * 6.4 ** 2)), 0)
      })
      scores.push((await cc({ dtype: 'float32', shape: [1, 64, 96], data: both }, target)).mean)
    }
    expect(mean(scores)).toBeGreaterThan(0.65)
    expect(mean(scores)).toBeLessThan(1 / Math.SQRT2)
  })
})

it('bad options are refused by name', async () => {
  const bad: [object, string][] = [
    [{ shapes: [1, 2] }, 'shapes\\[0\\]'],
    [{ shapes: [3, 2] }, 'shapes\\[1\\]'],
    [{ shapes: [2, 4], hues: 3 }, 'shapes\\[1\\]'],
    [{ shapes: 3 }, 'shapes'],
    [{ hues: 9 }, 'hues'],
    [{ cues: ['sound'] }, 'cues\\[0\\]'],
    [{ cues: 'pitch' }, 'cues'],
    [{ changes: 1.5 }, 'changes'],
    [{ size: [16, 24] }, 'size\\[0\\]'],
    [{ size: [64, 1000] }, 'size'],
    [{ fps: 29.97 }, 'fps'],
    [{ clipLength: 1 }, 'clipLength'],
    [{ split: 'testing' }, 'split'],
    [{ seed: -1 }, 'seed'],
    [{ length: 0 }, 'length'],
    [{ fixations: 1 }, 'fixations'],
    [{ hue: 3 }, "'hues'"],
  ]
  for (const [options, name] of bad) {
    await expectDiffSalError(() => soundingScenes(options), 'ERR_DIFFSAL_INVALID_ARGUMENT', new RegExp(name))
  }
  const dataset = soundingScenes({ length: 3 })
  for (const index of [3, -1, 0.5]) {
    await expectDiffSalError(() => dataset.get(index), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'index')
    await expectDiffSalError(() => dataset.describe(index), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'index')
  }
})
