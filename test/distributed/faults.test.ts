import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runGroup, startGroup, type Said } from '../support/group.ts'
import { hasGloo } from '../support/has-gloo.ts'
import { temporaryPath } from '../support/temporary.ts'
import { trainingConfig } from '../support/training.ts'

const patience = 200_000
const errors = (said: readonly Said[]) => said.filter(({ type }) => type === 'error' || type === 'complaint')
const endless = { create: trainingConfig, trainer: { lr: 1e-3, seed: 3 }, length: 12, fit: { epochs: 100_000, batch: 1 }, join: { timeout: 8 } }

describe.skipIf(!hasGloo)('a process that is lost', () => {
  for (const [how, victim] of [
    ['SIGKILL', 1],
    ['SIGSTOP', 1],
    ['SIGKILL', 0],
    ['SIGSTOP', 0],
  ] as const) {
    it(
      `by ${how}, of rank ${victim}, ends the others, which name it and leave no half checkpoint`,
      async () => {
        const folder = temporaryPath(`${how}-${victim}`)
        const members = await startGroup(3, { ...endless, fit: { ...endless.fit, checkpointDir: folder, every: 3 } })
        await members[victim]!.said('step')
        await members[0]!.said('checkpoint')
        members[victim]!.child.kill(how)
        const others = members.filter((_, rank) => rank !== victim)
        for (const said of await Promise.all(others.map(({ events }) => events))) {
          expect(errors(said)).toEqual([
            { type: 'error', code: 'ERR_DIFFSAL_PEER', received: `${victim}`, message: expect.stringMatching(new RegExp(`^Rank ${victim} `)) as string },
          ])
          expect(said.at(-1)).toEqual({ type: 'closed', code: 0, signal: null })
        }
        if (how === 'SIGSTOP') members[victim]!.child.kill('SIGKILL')
        await members[victim]!.events
        for (const name of readdirSync(folder)) if (victim !== 0) expect(name).toMatch(/^step-\d{8}\.safetensors$/)
      },
      patience,
    )
  }

  it(
    'by a failure of its own ends the others with its reason',
    async () => {
      const all = await runGroup(2, { ...endless, throwsAt: 5 })
      const own = all.flatMap((said, rank) =>
        errors(said).map(({ code, message }) => ({ rank, code, message }) as { rank: number; code?: string; message: string }),
      )
      expect(own.length).toBe(2)
      const thrower = own.find(({ code }) => code === undefined)!
      expect(thrower.message).toBe('sample 5 is broken')
      const other = own.find(({ code }) => code === 'ERR_DIFFSAL_PEER')!
      expect(other.message).toBe(`Rank ${thrower.rank} has stopped: sample 5 is broken`)
    },
    patience,
  )

  it(
    'by stills, which several processes do not train on, is told why',
    async () => {
      const create = { ...trainingConfig, videoEncoder: { name: 's3d', width: 0.1, embedDim: 16 } }
      const all = await runGroup(2, { ...endless, create, clipLength: 1, fit: { epochs: 1, batch: 2 } })
      const own = all.flatMap(errors)
      expect(own.map(({ code }) => code)).toContain('ERR_DIFFSAL_INVALID_ARGUMENT')
      for (const { message } of own) expect(message).toMatch(/'frames' must be clips, where processes train together, but stills of one frame came/)
    },
    patience,
  )

  it.each([0, 2])(
    'by a weight of rank %i that is not what it was, in its last bits, ends all at the end of the epoch, and is named',
    async (victim) => {
      const all = await runGroup(3, { ...endless, trainer: { lr: 0, seed: 3 } }, (rank) => (rank === victim ? { tampersAt: 2 } : {}))
      for (const said of all) {
        expect(errors(said)).toEqual([
          {
            type: 'error',
            code: 'ERR_DIFFSAL_PEER',
            received: `${victim}`,
            message: expect.stringMatching(new RegExp(`^After step 4 the weights of rank ${victim} are not those of the others`)) as string,
          },
        ])
        expect(said.filter(({ type }) => type === 'step')).toHaveLength(4)
      }
    },
    patience,
  )
})
