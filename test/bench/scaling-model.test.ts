import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { largeSeconds, paperMessages, ringSeconds, scalingTable, smallSeconds, stepSeconds } from '../../bench/scaling-model.ts'
import { countParameters } from '../../lib/index.ts'

const carrier = { within: 100, between: 10, delays: [1, 2] as const }

describe('seconds of a sum', () => {
  test('none for one process; in a ring each sends all but a share, twice', () => {
    expect(ringSeconds(1000, 1, 10, 1)).toBe(0)
    expect(ringSeconds(1000, 2, 10, 1)).toBe(2 * (50 + 1))
    expect(ringSeconds(1000, 4, 10, 0)).toBeCloseTo((2 * 3 * 1000) / 4 / 10)
  })

  test('of a large tensor: all of it within a machine, a share between machines', () => {
    expect(largeSeconds(1000, { processes: 4, perMachine: 4 }, carrier)).toBe(ringSeconds(1000, 4, 100, 1))
    expect(largeSeconds(1000, { processes: 8, perMachine: 4 }, carrier)).toBe(ringSeconds(1000, 4, 100, 1) + ringSeconds(250, 2, 10, 2))
  })

  test('of a small one: there and back through a tree', () => {
    expect(smallSeconds(0, { processes: 1, perMachine: 8 }, carrier)).toBe(0)
    expect(smallSeconds(0, { processes: 8, perMachine: 8 }, carrier)).toBe(2 * 3 * 1)
    expect(smallSeconds(0, { processes: 64, perMachine: 8 }, carrier)).toBe(2 * (3 * 1 + 3 * 2))
  })

  test('of a step: the computing hides what it can', () => {
    const messages = { gradients: 1000, statistics: { messages: 2, bytes: 0 } }
    const one = stepSeconds(30, messages, { processes: 2, perMachine: 2 }, carrier)
    expect(one).toMatchObject({ gradients: 12, statistics: 4, whole: 46, efficiency: 30 / 46, hiddenEfficiency: 30 / 34 })
    expect(stepSeconds(30, { ...messages, statistics: { messages: 2, bytes: 300 } }, { processes: 2, perMachine: 2 }, carrier).statistics).toBe(2 * 2 * (1 + 3))
    expect(stepSeconds(3, messages, { processes: 2, perMachine: 2 }, carrier).hiddenEfficiency).toBe(3 / (3 + 10 + 4))
  })
})

test("the page's table is what the formulas give, of the paper's network", () => {
  expect(paperMessages.gradients).toBe(4 * countParameters().total)
  const page = readFileSync('docs/scaling.md', 'utf8')
  const milliseconds = (seconds: number, digits: number): string => `${(1000 * seconds).toFixed(digits)} ms`
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
  const rows = scalingTable().map(({ carrier: by, processes, computing, gradients, statistics, efficiency, hiddenEfficiency }) =>
    [by, processes, milliseconds(computing, 0), milliseconds(gradients, 1), milliseconds(statistics, 1), percent(efficiency), percent(hiddenEfficiency)].join(
      ' | ',
    ),
  )
  expect([...page.matchAll(/^\| ((?:NVLink|TCP).*) \|$/gm)].map(([, row]) => row)).toEqual(rows)
})
