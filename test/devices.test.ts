import { totalmem } from 'node:os'
import { describe, expect, it } from 'vitest'
import { resolveDevice } from '../lib/devices.ts'
import { DiffSal, devices } from '../lib/index.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { tinyConfig } from './support/tiny-config.ts'

// These hold with and without a CUDA device.
const ids = devices().map(({ id }) => id)
const firstCuda = ids.find((id) => id.startsWith('cuda:'))

describe('devices', () => {
  it('begins with the CPU and what memory it has', () => {
    const [cpu] = devices()
    expect(cpu).toMatchObject({ id: 'cpu', type: 'cpu' })
    expect(cpu!.name).not.toBe('')
    expect(cpu!.memory.total).toBe(totalmem())
    expect(cpu!.memory.free).toBeGreaterThan(0)
    expect(cpu!.memory.free).toBeLessThanOrEqual(cpu!.memory.total)
  })

  it('lists each device once, the others as cuda:0, cuda:1, …', () => {
    expect(ids).toEqual(['cpu', ...ids.slice(1).map((_, i) => `cuda:${i}`)])
    for (const device of devices().slice(1)) {
      expect(device.type).toBe('cuda')
      expect(device.capability).toMatch(/^\d+\.\d$/)
      expect(device.memory.total).toBeGreaterThan(2 ** 30)
    }
  })

  it('gives a list of its own to each caller', () => {
    devices().pop()
    expect(devices()).toHaveLength(ids.length)
  })
})

describe('resolveDevice', () => {
  it('takes the id of each device', () => {
    for (const id of ids) expect(resolveDevice(id)).toBe(id)
  })

  it('takes auto for the first CUDA device, else the CPU', () => expect(resolveDevice('auto')).toBe(firstCuda ?? 'cpu'))

  it('says what is usable, and why CUDA is not', async () => {
    const device = firstCuda === undefined ? 'cuda' : `cuda:${ids.length}`
    const error = await expectDiffSalError(() => resolveDevice(device), 'ERR_DIFFSAL_DEVICE', `Usable are: auto, ${ids.join(', ')}.`)
    expect(error).toMatchObject({ argument: 'device', expected: `auto, ${ids.join(', ')}` })
    if (firstCuda === undefined) expect(error.message).toMatch(/here: .*driver/)
  })

  it.each([undefined, null, 0, '', 'CPU', ' cpu', 'cuda:-1', 'cuda:01', 'mps', ['cpu']])('refuses %j', async (device) => {
    await expectDiffSalError(() => resolveDevice(device), 'ERR_DIFFSAL_DEVICE', 'Usable are: auto, cpu')
  })
})

describe('a model', () => {
  it('knows the device it runs on', async () => {
    await using chosen = await DiffSal.create(tinyConfig, { seed: 1 })
    await using asked = await DiffSal.create(tinyConfig, { seed: 1, device: 'cpu' })
    expect(chosen.device).toBe(firstCuda ?? 'cpu')
    expect(asked.device).toBe('cpu')
  })

  it.each([0, 1.5, 1025, '2', null])('refuses %j threads', async (threads) => {
    const create = () => DiffSal.create(tinyConfig, { threads: threads as number })
    await expectDiffSalError(create, 'ERR_DIFFSAL_INVALID_ARGUMENT', "'threads'", '1 to 1024')
  })

  it.each(['float16', 'double', 32])('refuses the precision %j', async (precision) => {
    const create = () => DiffSal.create(tinyConfig, { precision: precision as 'float32' })
    await expectDiffSalError(create, 'ERR_DIFFSAL_INVALID_ARGUMENT', "'precision'", "'float32'")
  })
})
