import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { checkBoolean, checkChoice, checkInteger, checkNames, checkNumber, checkOptions, checkString, nearest } from '../../lib/checks/options.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

const refused = async (action: () => unknown, argument: string, ...parts: (string | RegExp)[]) => {
  const error = await expectDiffSalError(action, 'ERR_DIFFSAL_INVALID_ARGUMENT', `'${argument}'`, ...parts)
  expect(error.argument).toBe(argument)
}

describe('a name of any length', () => {
  it('is said in part, and at once', async () => {
    const error = await expectDiffSalError(
      () => checkNames('options', { ['x'.repeat(1_000_000)]: 1 }, ['steps', 'seed']),
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      "unknown option 'xxx",
    )
    expect(error.message.length).toBeLessThan(200)
    expect(error.argument!.length).toBeLessThan(1000)
  })
})

describe('checkOptions', () => {
  it('gives the options, or an empty object for none', () => {
    const options = { steps: 4 }
    expect(checkOptions('options', options, ['steps'])).toEqual(options)
    expect(checkOptions('options', undefined, [])).toEqual({})
    expect(checkOptions('options', Object.create(null) as object, [])).toEqual({})
    const foreign = runInNewContext('({ steps: 4 })') as { steps: number }
    expect(checkOptions('options', foreign, ['steps'])).toEqual(options)
  })

  it('gives a frozen copy, of which every property was read once', () => {
    let reads = 0
    const options = {
      get steps() {
        return ++reads
      },
    }
    const checked = checkOptions('options', options, ['steps'])
    expect([checked.steps, checked.steps, reads, Object.isFrozen(checked)]).toEqual([1, 1, 1, true])
  })

  it('takes nothing from a polluted Object.prototype', () => {
    const pollution = Object.prototype as { steps?: number }
    pollution.steps = 7
    try {
      expect(checkOptions<{ steps?: number }>('options', {}, ['steps']).steps).toBeUndefined()
      expect(checkOptions<{ steps?: number }>('options', undefined, ['steps']).steps).toBeUndefined()
    } finally {
      delete pollution.steps
    }
  })

  it.each([
    [
      'an accessor',
      {
        get steps(): number {
          throw new TypeError('no')
        },
      },
    ],
    [
      'a proxy',
      new Proxy(
        { steps: 4 },
        {
          getOwnPropertyDescriptor: () => {
            throw new TypeError('no')
          },
        },
      ),
    ],
    [
      'a proxy that hides its prototype',
      new Proxy(
        { steps: 4 },
        {
          getPrototypeOf: () => {
            throw new TypeError('no')
          },
        },
      ),
    ],
  ])('says that %s cannot be read, with what it threw as the cause', async (_, options) => {
    const error = await expectDiffSalError(() => checkOptions('options', options, ['steps']), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'options'", 'cannot be read')
    expect(error.cause).toEqual(new TypeError('no'))
  })

  it.each([
    null,
    4,
    'steps',
    true,
    () => {},
    [4],
    new Float32Array(1),
    new DataView(new ArrayBuffer(1)),
    new Map([['steps', 4]]),
    new AbortController().signal,
    new Date(),
  ])('refuses %o', (options) => refused(() => checkOptions('options', options as object, []), 'options', 'an object'))
})

describe('checkNames', () => {
  it('refuses a name that is not known, with the nearest that is', async () => {
    checkNames('options', { steps: 1, seed: undefined }, ['steps', 'seed'])
    const error = await expectDiffSalError(
      () => checkNames('options', { step: 1 }, ['seed', 'steps']),
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      "'options' has an unknown option 'step'. Did you mean 'steps'?",
    )
    expect(error).toMatchObject({ argument: 'options.step', expected: 'one of seed, steps', received: "'step'" })
  })

  it('lists the known ones where none is near', async () => {
    const check = () => checkNames('options', { verbose: 1 }, ['seed', 'steps'])
    await expectDiffSalError(check, 'ERR_DIFFSAL_INVALID_ARGUMENT', 'Known are: seed, steps.')
  })

  it('does not take names from the prototype', async () => {
    await expectDiffSalError(() => checkNames('options', { toString: 1 }, ['seed']), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'toString'")
  })
})

describe('checkInteger', () => {
  it.each([1, 7, 10, 2.0])('takes %d of 1 to 10', (value) => expect(checkInteger('n', value, 1, 10)).toBe(value))

  it.each([0, 11, 1.5, NaN, Infinity, '7', 7n, null, undefined, [7], { valueOf: () => 7 }])('refuses %o of 1 to 10', (value) =>
    refused(() => checkInteger('n', value, 1, 10), 'n', 'an integer from 1 to 10'),
  )

  it('has no upper end where none is given', async () => {
    expect(checkInteger('n', Number.MAX_SAFE_INTEGER, 1)).toBe(Number.MAX_SAFE_INTEGER)
    await refused(() => checkInteger('n', 2 ** 53, 1), 'n', 'an integer of at least 1')
  })
})

describe('checkNumber', () => {
  it.each([0, -0, 0.5, 1])('takes %d of 0 to 1', (value) => expect(checkNumber('x', value, 0, 1)).toBe(value))

  it.each([-1e-9, 1.000001, NaN, Infinity, '0.5', null, true])('refuses %o of 0 to 1', (value) =>
    refused(() => checkNumber('x', value, 0, 1), 'x', 'a number from 0 to 1'),
  )
})

describe('checkChoice', () => {
  it('takes a word of the list', () => expect(checkChoice('kind', 'eca', ['eca', 'sca'])).toBe('eca'))

  it('refuses another word, with the nearest of the list', async () => {
    await refused(() => checkChoice('kind', 'ECA', ['eca', 'none']), 'kind', "one of 'eca', 'none' (did you mean 'eca'?)", "'ECA' came")
  })

  it.each([undefined, null, 0, ['eca'], new String('eca')])('refuses %o', (value) =>
    refused(() => checkChoice('kind', value, ['eca', 'none']), 'kind', "one of 'eca', 'none', but"),
  )
})

describe('checkString and checkBoolean', () => {
  it('take what they say', () => {
    expect(checkString('path', 'a b')).toBe('a b')
    expect(checkBoolean('video', false)).toBe(false)
  })

  it.each([undefined, null, '', 'a\0b', 5, new String('a'), new URL('file:///a')])('refuse %o as a path', (value) =>
    refused(() => checkString('path', value), 'path', 'non-empty string'),
  )

  it.each([undefined, null, 0, 1, 'true', new Boolean(true)])('refuse %o as true or false', (value) =>
    refused(() => checkBoolean('video', value), 'video', 'true or false'),
  )
})

describe('nearest', () => {
  it.each([
    ['step', 'steps'],
    ['sede', 'seed'],
    ['STEPS', 'steps'],
    ['onprogres', 'onProgress'],
    ['ea', 'eta'],
  ])('finds, for %s, %s', (name, expected) => expect(nearest(name, ['seed', 'steps', 'eta', 'onProgress'])).toBe(expected))

  it('finds nothing where all are far, or there is none', () => {
    expect(nearest('temperature', ['seed', 'steps', 'eta'])).toBeUndefined()
    expect(nearest('seed', [])).toBeUndefined()
  })

  it('allows more in a long word', () => {
    expect(nearest('relativepositions', ['relative_position'])).toBe('relative_position')
    expect(nearest('abcd', ['wxyz'])).toBeUndefined()
  })
})
