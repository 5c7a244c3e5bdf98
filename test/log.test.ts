import { afterEach, describe, expect, it, vi } from 'vitest'
import { DiffSal, setLogger, type Logger, type LogLevel } from '../lib/index.ts'
import { log } from '../lib/log.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { tinyConfig } from './support/tiny-config.ts'

const levels: LogLevel[] = ['debug', 'info', 'warn', 'error']

afterEach(() => {
  setLogger(undefined)
  vi.restoreAllMocks()
})

const spies = () => (['error', 'warn', 'log', 'info', 'debug'] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => {}))

describe('setLogger', () => {
  it('sends every level to the logger, and nothing to the console', () => {
    const printed = spies()
    const logger = vi.fn<Logger>()
    setLogger(logger)
    for (const level of levels) log(level, `a ${level}`)
    expect(logger.mock.calls).toEqual(levels.map((level) => [level, `a ${level}`]))
    for (const spy of printed) expect(spy).not.toHaveBeenCalled()
  })

  it('restores the default with undefined, which prints warnings and errors to standard error alone', () => {
    const logger = vi.fn<Logger>()
    setLogger(logger)
    setLogger(undefined)
    const [error, ...others] = spies()
    for (const level of levels) log(level, `a ${level}`)
    expect(logger).not.toHaveBeenCalled()
    expect(error!.mock.calls).toEqual([['diffsal: a warn'], ['diffsal: a error']])
    for (const spy of others) expect(spy).not.toHaveBeenCalled()
  })

  it.each([null, 'console', {}, 3])('refuses %j, and keeps the logger it has', async (logger) => {
    const kept = vi.fn<Logger>()
    setLogger(kept)
    await expectDiffSalError(() => setLogger(logger as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'logger'", 'a function')
    log('info', 'still here')
    expect(kept).toHaveBeenCalledOnce()
  })
})

describe('a model', () => {
  it('says which device it chose', async () => {
    const logger = vi.fn<Logger>()
    setLogger(logger)
    await using model = await DiffSal.create(tinyConfig, { seed: 1, threads: 1 })
    expect(logger.mock.calls).toContainEqual(['info', expect.stringMatching(new RegExp(`^device: ${model.device}(, for .+)?$`))])
  })

  it('says nothing on the console when all is well', async () => {
    const printed = spies()
    await using model = await DiffSal.create(tinyConfig, { seed: 1, threads: 1, device: 'cpu' })
    expect(model.device).toBe('cpu')
    for (const spy of printed) expect(spy).not.toHaveBeenCalled()
  })
})
