import { describe, expect, it } from 'vitest'
import { firstHost, isLaunched, placementOf, readMaster } from '../../lib/distributed/environment.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

describe("the launcher's variables", () => {
  it("are torchrun's", () => {
    const env = {
      RANK: '3',
      WORLD_SIZE: '8',
      LOCAL_RANK: '1',
      MASTER_ADDR: 'node7',
      MASTER_PORT: '1234',
      TORCHELASTIC_USE_AGENT_STORE: 'True',
      TORCHELASTIC_RUN_ID: 'x',
      TORCHELASTIC_RESTART_COUNT: '2',
    }
    expect(placementOf(env)).toEqual({ rank: 3, worldSize: 8, localRank: 1, host: 'node7', port: 1234, served: true, run: 'x-2' })
    expect(isLaunched(env)).toBe(true)
  })

  it("are SLURM's in a step, and not in a batch script, which is one process", () => {
    const batch = { SLURM_PROCID: '0', SLURM_NTASKS: '4', SLURM_JOB_ID: '31234567', SLURM_JOB_NODELIST: 'gpu[03-05,9],x1' }
    expect(placementOf(batch)).toEqual({ served: false, run: '' })
    expect(isLaunched(batch)).toBe(false)
    const step = { ...batch, SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '2', SLURM_PROCID: '1', SLURM_LOCALID: '0' }
    expect(placementOf(step)).toEqual({ rank: 1, worldSize: 2, localRank: 0, host: 'gpu03', port: 19_567, served: false, run: '' })
    expect(isLaunched(step)).toBe(true)
  })

  it("are an indexed Job's", () => {
    expect(placementOf({ JOB_COMPLETION_INDEX: '2', WORLD_SIZE: '3', MASTER_ADDR: 'train-0.train' })).toMatchObject({
      rank: 2,
      worldSize: 3,
      host: 'train-0.train',
    })
  })

  it('are refused where they are no numbers', async () => {
    for (const value of ['one', '-1', '1.5', '0x2', '9999999999']) {
      await expectDiffSalError(async () => placementOf({ RANK: value }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'RANK' must be a number/)
    }
    expect(placementOf({ RANK: '' })).toEqual({ served: false, run: '' })
  })

  it('name the first machine of a list', () => {
    expect(['a', 'a,b', 'n[1-3]', 'n[07,09-11]-x,m', 'rack1-[2-4]', '', undefined].map(firstHost)).toEqual([
      'a',
      'a',
      'n1',
      'n07-x',
      'rack1-2',
      undefined,
      undefined,
    ])
  })
})

describe('master', () => {
  it('is a host and a port', () => {
    expect(readMaster('node1:80')).toEqual({ host: 'node1', port: 80 })
    expect(readMaster('10.0.0.1')).toEqual({ host: '10.0.0.1', port: 29_500 })
    expect(readMaster('[fe80::1]:99')).toEqual({ host: 'fe80::1', port: 99 })
  })

  it('is refused where it is none', async () => {
    for (const text of [':80', 'a:b', 'a:0', 'a:70000', 'a b:1', 'tcp://a:1', 'fe80::1']) {
      await expectDiffSalError(async () => readMaster(text), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'master' must be a host and a port/)
    }
  })
})
