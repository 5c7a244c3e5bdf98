import { describe, expect, it } from 'vitest'
import { ncclLibraryOf } from '../../lib/addon/nccl.ts'
import { devices, distributed } from '../../lib/index.ts'
import { runGroup, startMember, type Said } from '../support/group.ts'
import { hasGloo } from '../support/has-gloo.ts'
import { trainingConfig } from '../support/training.ts'

const gpus = devices().length - 1
if (gpus === 0) console.warn('Skipped: sums by NCCL, for there is no NVIDIA device that libtorch can use.')

const steps = 4
const scenario = { create: trainingConfig, trainer: { lr: 1e-5, eps: 1e-2, seed: 3 }, device: 'cuda', counts: true }
const losses = (said: readonly Said[]) => said.filter(({ type }) => type === 'step').map(({ loss }) => loss as number)
const hashOf = (said: readonly Said[]) => said.find(({ type }) => type === 'hash')?.hash as string

describe("the backend 'nccl'", () => {
  it.skipIf(gpus > 0 || !hasGloo)('is refused where there is no device, with what to do', async () => {
    const joining = distributed.join({ backend: 'nccl', rank: 0, worldSize: 1 })
    await expect(joining).rejects.toMatchObject({
      code: 'ERR_DIFFSAL_DEVICE',
      argument: 'backend',
      received: "'nccl'",
      message: expect.stringMatching(
        /^NCCL carries sums between NVIDIA's devices, of which none can be used here: .+\. .+ the backend 'gloo' trains on the CPU\.$/,
      ) as string,
    })
  })

  it('is refused where its part was not built, and found where it was', () => {
    const paths = { root: '/package', builtWith: { version: '2.13.0' } }
    expect(() => ncclLibraryOf({ obstacle: undefined }, paths)).toThrow(
      expect.objectContaining({ code: 'ERR_DIFFSAL_ADDON_MISSING', message: expect.stringContaining('libnccl-dev') as string }),
    )
    expect(ncclLibraryOf({ obstacle: undefined }, { ...paths, ncclPart: '/package/diffsal_nccl.so' })).toBe('/package/diffsal_nccl.so')
  })

  // One process alone exchanges nothing by Gloo; by NCCL its sums go through the device all the same.
  for (const count of gpus > 1 ? [1, gpus] : [1]) {
    it.skipIf(gpus === 0 || !hasGloo)(
      `trains ${count} process${count === 1 ? '' : 'es'} as one trains without it`,
      async () => {
        const fit = (batch: number) => ({ fit: { epochs: steps, batch }, length: 2 * count })
        const one = await startMember({ ...scenario, ...fit(2 * count), counts: false, join: null }).events
        const all = await runGroup(count, { ...scenario, ...fit(2), join: { backend: 'nccl' } })
        expect(losses(one).length).toBe(steps)
        for (const said of all) {
          expect(said.filter(({ type }) => type === 'error')).toEqual([])
          for (const [i, loss] of losses(said).entries()) expect(Math.abs(loss / losses(one)[i]! - 1), `loss of step ${i + 1}`).toBeLessThan(1e-4)
          expect(said.find(({ type }) => type === 'traffic')?.messages).toBeGreaterThan(steps)
        }
        expect(new Set(all.map(hashOf)).size).toBe(1)
      },
      300_000,
    )
  }
})
