import { describe, expect, it } from 'vitest'
import { DiffSal, type PartialDiffSalConfig } from '../lib/index.ts'
import { lightConfig } from './support/tiny-config.ts'
import { testInput } from './support/test-values.ts'

/** A map of the light network with `config`, of T frames and their sound. */
async function mapOf(config: PartialDiffSalConfig): Promise<Float32Array> {
  await using model = await DiffSal.create({ ...lightConfig, ...config }, { seed: 1, threads: 1 })
  const { clipLength } = model.config
  const shape = [clipLength, 64, 96, 3]
  const frames = { dtype: 'uint8' as const, shape, data: Uint8Array.from(testInput('frames', shape, 'unit'), (u) => u * 256) }
  const samples = testInput('sound', [Math.round((16000 * clipLength) / 30)], 'normal')
  const map = await model.predict({ frames, audio: { samples, sampleRate: 16000 } }, { steps: 2, seed: 5 })
  expect(map.shape).toEqual([1, 1, 64, 96])
  return map.data
}

const difference = (a: Float32Array, b: Float32Array) => a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0)

describe('a variant of the paper predicts a map of its own:', () => {
  it.each<[string, PartialDiffSalConfig]>([
    ['1 MAM stage', { mamStages: 1 }],
    ['2 MAM stages', { mamStages: 2 }],
    ['3 MAM stages', { mamStages: 3 }],
    ['interaction off', { interaction: 'off' }],
    ['interaction residual', { interaction: 'residual' }],
    ['clips of 32 frames', { clipLength: 32 }],
  ])('%s', async (_, config) => {
    expect(difference(await mapOf(config), await mapOf({}))).toBeGreaterThan(1e-4)
  })

  it('interaction off is deaf, and mim is not', async () => {
    const heard = async (config: PartialDiffSalConfig) => {
      await using model = await DiffSal.create({ ...lightConfig, ...config }, { seed: 1, threads: 1 })
      const shape = [1, 3, 16, 64, 96]
      const frames = { dtype: 'float32' as const, shape, data: testInput('frames', shape) }
      const [sound, silence] = [testInput('sound', [8533]), new Float32Array(8533)].map((samples) => ({ samples, sampleRate: 16000 }))
      const map = async (audio: typeof sound) => (await model.predict({ frames, audio: audio! }, { steps: 1, seed: 5 })).data
      return difference(await map(sound), await map(silence))
    }
    expect(await heard({ interaction: 'off' })).toBe(0)
    expect(await heard({})).toBeGreaterThan(1e-5)
  })
})
