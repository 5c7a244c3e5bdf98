import { describe, expect, it } from 'vitest'
import { logMel, melSlices } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { readGolden } from '../support/fixtures.ts'
import { testInput } from '../support/test-values.ts'

const sampleRate = 16000

/** The golden sound: a tone, a sweep and noise, 2.2 seconds. */
function wave(): Float32Array {
  const noise = testInput('wave', [35200])
  return noise.map((value, i) => {
    const s = i / sampleRate
    return 0.5 * Math.sin(2 * Math.PI * 440 * s) + 0.25 * Math.sin(2 * Math.PI * (200 + 1500 * s) * s) + 0.05 * value
  })
}

describe('logMel', () => {
  it('gives the golden log-mel', async () => {
    const actual = await logMel(wave(), { sampleRate })
    expect(actual.dtype).toBe('float32')
    expectClose(actual, (await readGolden('audio'))('log_mel'), 1e-4)
  })
})

describe('melSlices', () => {
  it.each([
    ['slices', 35200],
    ['slices_short', 14400],
  ])('gives the golden %s', async (name, samples) => {
    const actual = await melSlices(wave().subarray(0, samples), { size: [112, 192], slots: 9, sampleRate })
    expect(actual.dtype).toBe('float32')
    expectClose(actual, (await readGolden('audio'))(name), 1e-4)
  })
})
