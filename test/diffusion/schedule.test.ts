import { describe, expect, it } from 'vitest'
import { DiffSal, schedule, type Tensor } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { lightConfig } from '../support/tiny-config.ts'

const refused = async (action: () => unknown, argument: string, ...parts: string[]) => {
  const error = await expectDiffSalError(action, 'ERR_DIFFSAL_INVALID_ARGUMENT', `'${argument}'`, ...parts)
  expect(error.argument).toBe(argument)
}

describe.each([2, 10, 1000, 4000])('the schedule of %i times', (T) => {
  const betas = schedule.betas(T)
  const bars = schedule.alphaBars(T)

  it('has a β from 0 to 0.999 for each, that grows', () => {
    expect(betas).toBeInstanceOf(Float64Array)
    expect(betas).toHaveLength(T)
    expect(betas.every((beta, t) => beta > 0 && beta <= 0.999 && (t === 0 || beta >= betas[t - 1]!))).toBe(true)
  })

  it('has ᾱ, the product of 1 − β, which falls from almost 1 to almost 0', () => {
    expect(bars).toBeInstanceOf(Float32Array)
    expect(bars).toHaveLength(T)
    let product = 1
    for (const [t, beta] of betas.entries()) {
      product *= 1 - beta
      expect(Math.abs(bars[t]! - product)).toBeLessThan(1e-5)
    }
    expect(bars.every((bar, t) => bar > 0 && (t === 0 || bar < bars[t - 1]!))).toBe(true)
    expect(bars[T - 1]).toBeLessThan(0.002)
  })
})

describe('ddimTimes', () => {
  it.each([
    [1, 1000],
    [4, 1000],
    [7, 1000],
    [1000, 1000],
    [2, 2],
    [3, 50],
  ])('takes %i steps from T − 1 down to the map, T = %i', (steps, T) => {
    const times = schedule.ddimTimes(steps, { T })
    expect(times).toHaveLength(steps)
    expect(times[0]![0]).toBe(T - 1)
    expect(times.at(-1)![1]).toBe(-1)
    for (const [i, [now, next]] of times.entries()) {
      expect(now).toBeGreaterThan(next)
      if (i > 0) expect(now).toBe(times[i - 1]![1])
    }
  })

  it('of the released dialect begin at 0 and may be a step more', () => {
    expect(schedule.ddimTimes(1, { dialect: 'released' })).toEqual([[0, -1]])
    expect(schedule.ddimTimes(2, { T: 10, dialect: 'released' })).toEqual([
      [5, 0],
      [0, -1],
    ])
    expect(schedule.ddimTimes(3, { T: 10, dialect: 'released' }).map(([now]) => now)).toEqual([9, 6, 3, 0])
  })

  it('refuses what makes no schedule', async () => {
    for (const steps of [0, 1001, 1.5, NaN, '4', undefined]) await refused(() => schedule.ddimTimes(steps as number), 'steps', '1 to 1000')
    await refused(() => schedule.ddimTimes(11, { T: 10 }), 'steps', '1 to 10')
    await refused(() => schedule.ddimTimes(4, { dialect: 'paperr' as 'paper' }), 'dialect', "did you mean 'paper'")
    await expectDiffSalError(() => schedule.ddimTimes(4, { t: 10 } as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'t'", "'T'")
    for (const T of [0, 1, 1.5, 100_001, NaN, '1000']) {
      await refused(() => schedule.betas(T as number), 'T', 'from 2')
      await refused(() => schedule.alphaBars(T as number), 'T', 'from 2')
      await refused(() => schedule.ddimTimes(1, { T: T as number }), 'T', 'from 2')
    }
  })
})

it("a model's schedule is that of its own times and dialect", async () => {
  await using model = await DiffSal.create({ ...lightConfig, timesteps: 40, dialect: 'released' }, { seed: 1, threads: 1, device: 'cpu' })
  const { T, ...own } = model.schedule
  expect(T).toBe(40)
  expect([own.betas(), own.alphaBars()]).toEqual([schedule.betas(40), schedule.alphaBars(40)])
  expect(own.ddimTimes(3)).toEqual(schedule.ddimTimes(3, { T: 40, dialect: 'released' }))
  expect(own.ddimTimes(3)).not.toEqual(schedule.ddimTimes(3, { T: 40 }))
  const map: Tensor<'float32'> = { dtype: 'float32', shape: [2], data: Float32Array.of(0.25, 0.5) }
  expect(own.ddimStep(map, map, 39, 12)).toEqual(schedule.ddimStep(map, map, 39, 12, { T: 40 }))
  await refused(() => own.ddimTimes(41), 'steps', 'from 1 to 40')
  await refused(() => own.ddimStep(map, map, 40, 12), 'now', 'from 1 to 39')
})
