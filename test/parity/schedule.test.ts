import { describe, expect, it } from 'vitest'
import { schedule } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { readGolden, scheduleCase } from '../support/fixtures.ts'

describe('schedule', () => {
  it('has the golden alpha bars', async () => {
    const golden = (await readGolden('schedule'))('alpha_bars')
    expectClose({ dtype: 'float32', shape: [1000], data: schedule.alphaBars() }, golden, 1e-6)
    expectClose({ dtype: 'float32', shape: [1000], data: schedule.alphaBars(1000) }, golden, 1e-6)
  })

  it('has the golden betas', async () => {
    expectClose({ dtype: 'float64', shape: [1000], data: schedule.betas(1000) }, (await readGolden('schedule'))('betas'), 1e-12)
  })

  const times = Object.entries(scheduleCase().ddim).flatMap(([dialect, bySteps]) =>
    Object.entries(bySteps).map(([steps, pairs]) => [dialect as 'paper' | 'released', Number(steps), pairs] as const),
  )
  it.each(times)('has the golden times of the %s dialect in %i steps', (dialect, steps, pairs) => {
    expect(schedule.ddimTimes(steps, { T: 1000, dialect })).toEqual(pairs)
  })
})
