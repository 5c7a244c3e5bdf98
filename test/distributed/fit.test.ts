import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runGroup } from '../support/group.ts'
import { hasGloo } from '../support/has-gloo.ts'
import { temporaryPath } from '../support/temporary.ts'
import { trainingConfig } from '../support/training.ts'
import { alone, distances, expectSame, expectShared, hashOf, numbers, of, patience, trainer, uneven } from './same-steps.ts'

describe.skipIf(!hasGloo)('several processes', () => {
  it(
    'take the steps that one takes, each with its part of the data, and have the same weights bit for bit',
    async () => {
      const fit = (batch: number) => ({ fit: { epochs: 1, batch } })
      const one = await alone({ ...uneven, ...fit(6) })
      const all = await runGroup(3, { ...uneven, ...fit(2) })
      for (const said of all) {
        const { loss, gradNorm } = distances(said, one)
        expect(Math.max(...loss)).toBeLessThan(1e-5)
        // Of the later ones a kink of ReLU may make more: the nightly test has their measure.
        expect(gradNorm[0]).toBeLessThan(1e-5)
      }
      expectShared(all, 1)
    },
    patience,
  )

  it(
    'accumulate and freeze as one does',
    async () => {
      const scenario = { create: trainingConfig, trainer: { ...trainer, accumulate: 2, frozen: ['audio_net.', 'visual_net.'] }, length: 8 }
      const one = await alone({ ...scenario, fit: { epochs: 1, batch: 4 } })
      const all = await runGroup(2, { ...scenario, fit: { epochs: 1, batch: 2 } })
      for (const said of all) expectSame(said, one)
      expect(new Set(all.map(hashOf)).size).toBe(1)
    },
    patience,
  )

  it(
    'validate and score as one does',
    async () => {
      const scenario = { create: trainingConfig, trainer, length: 7, evaluate: {} }
      const fit = (batch: number) => ({ fit: { epochs: 1, batch, validated: { batch: 1 } } })
      const one = await alone({ ...scenario, ...fit(2) })
      const all = await runGroup(2, { ...scenario, ...fit(1) })
      const scores = of(one, 'scores')[0]!.scores as { frames: number; mean: Record<string, number> }
      expect(scores.frames).toBe(7)
      for (const said of all) {
        for (const found of [of(said, 'scores')[0]!.scores, of(said, 'validation')[0]!.scores] as (typeof scores)[]) {
          expect(found.frames).toBe(7)
          for (const [name, value] of Object.entries(scores.mean)) expect(found.mean[name], name).toBeCloseTo(value, 4)
        }
      }
      // The two ranks' are one result.
      expect(of(all[0]!, 'scores')).toEqual(of(all[1]!, 'scores'))
    },
    patience,
  )

  it(
    'go on from a checkpoint, bit for bit with as many processes, and with the same data with another number',
    async () => {
      const scenario = { create: trainingConfig, trainer, length: 12 }
      const fit = (batch: number, checkpointDir: string) => ({ fit: { epochs: 2, batch, checkpointDir, every: 1, keep: 9 } })
      const whole = temporaryPath('whole')
      const through = await runGroup(2, { ...scenario, ...fit(2, whole) })
      // One process writes them.
      expect(readdirSync(whole).sort()).toEqual([1, 2, 3, 4, 5, 6].map((step) => `step-0000000${step}.safetensors`))
      expect(of(through[0]!, 'checkpoint').length).toBe(6)
      expect(of(through[1]!, 'checkpoint')).toEqual([])

      const from = `${whole}/step-00000002.safetensors`
      const again = await runGroup(2, { ...scenario, resume: from, ...fit(2, temporaryPath('again')) })
      for (const [rank, said] of again.entries()) {
        expect(numbers(said)).toEqual(numbers(through[rank]!).slice(2))
        expect(hashOf(said)).toBe(hashOf(through[0]!))
      }
      const single = await alone({ ...scenario, resume: from, ...fit(4, temporaryPath('single')) })
      expect(numbers(single).map(({ samples, step }) => [samples, step])).toEqual([3, 4, 5, 6].map((step) => [4, step]))
      for (const [i, { loss }] of numbers(single).entries()) expect(Math.abs(loss! / numbers(through[0]!)[2 + i]!.loss! - 1)).toBeLessThan(1e-5)
    },
    patience,
  )
})
