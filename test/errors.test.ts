import { describe, expect, it } from 'vitest'
import { describe as words, DiffSalError, fileError, invalidArgument, invalidArgumentText } from '../lib/errors.ts'

describe('DiffSalError', () => {
  it('is an Error with a code, and only the details it was given', () => {
    const error = new DiffSalError('ERR_DIFFSAL_DEVICE', 'There is no such device.', { argument: 'device' })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'DiffSalError', code: 'ERR_DIFFSAL_DEVICE', message: 'There is no such device.', argument: 'device' })
    expect(error.stack).toContain('DiffSalError: There is no such device.')
    for (const absent of ['expected', 'received', 'cause']) expect(error[absent as keyof Error]).toBeUndefined()
    expect('cause' in error).toBe(false)
  })

  it('keeps its cause', () => {
    const cause = new Error('underneath')
    expect(new DiffSalError('ERR_DIFFSAL_INTERNAL', 'above', { cause }).cause).toBe(cause)
  })
})

describe('describe', () => {
  class Model {}
  it.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    [1.5, '1.5'],
    [NaN, 'NaN'],
    [true, 'true'],
    ['cpu', "'cpu'"],
    ['', "''"],
    [[1, 'a', null], "[1, 'a', …]"],
    [[], '[]'],
    [new Float32Array(3), 'Float32Array of length 3'],
    [() => 1, 'a function'],
    [{ a: 1 }, 'an object'],
    [Object.create(null), 'an object'],
    [new Model(), 'an instance of Model'],
    [new Date(0), 'an instance of Date'],
  ])('says of %o: %s', (value, expected) => expect(words(value)).toBe(expected))

  it('says of a long string only its beginning', () => {
    const text = words('x'.repeat(1000))
    expect(text.length).toBeLessThan(90)
    expect(text).toMatch(/^'xxx.*\.\.\.'$/)
  })

  it('says of a long array how long it is', () => {
    expect(words(Array.from({ length: 20 }, (_, i) => i))).toBe('[0, 1, 2, 3, 4, 5, 6, 7, … 20 in all]')
  })

  it('tells a bigint from a number', () => expect(words(5n)).toBe('5n'))

  it('has words for every view of a buffer', () => expect(words(new DataView(new ArrayBuffer(8)))).toBe('DataView of length 8'))
})

describe('invalidArgument', () => {
  it('says what was expected and what came', () => {
    expect(invalidArgument('steps', 'an integer from 1 to 1000', 0)).toMatchObject({
      code: 'ERR_DIFFSAL_INVALID_ARGUMENT',
      message: "'steps' must be an integer from 1 to 1000, but 0 came.",
      argument: 'steps',
      expected: 'an integer from 1 to 1000',
      received: '0',
    })
    expect(invalidArgumentText('seed', 'a number or 2 of them', '3').message).toBe("'seed' must be a number or 2 of them, but 3 came.")
  })
})

describe('fileError', () => {
  const system = (code: string) => Object.assign(new Error(`${code}: whatever, open 'a'`), { code })

  it.each([
    ['ENOENT', 'it does not exist'],
    ['EACCES', 'permission is denied'],
    ['EPERM', 'permission is denied'],
    ['EISDIR', 'it is a directory'],
    ['ENOTDIR', 'not a directory'],
    ['ENAMETOOLONG', 'its name is too long'],
    ['EROFS', 'its file system is read-only'],
    ['EIO', 'EIO: whatever'],
  ])('puts %s into words', (code, expected) => {
    const cause = system(code)
    const error = fileError('read', 'a.safetensors', cause)
    expect(error).toMatchObject({ code: 'ERR_DIFFSAL_FILE', argument: 'a.safetensors', cause })
    expect(error.message).toMatch("Cannot read 'a.safetensors'")
    expect(error.message).toMatch(expected)
  })

  it('says a very long path without its middle', () => {
    const path = `/begin/${'x'.repeat(1e6)}/end`
    for (const code of ['ENAMETOOLONG', 'ENOSPC', 'EIO']) {
      const { message } = fileError('write', path, Object.assign(new Error(`${code}: whatever, open '${path}'`), { code }))
      expect(message).toMatch(/'\/begin\/x+ … x+\/end'/)
      expect(message.length).toBeLessThan(2000)
    }
    const whole = `/begin/${'x'.repeat(900)}/end`
    expect(fileError('read', whole, system('ENOENT')).message).toContain(`'${whole}'`)
  })

  it.each(['ENOSPC', 'EDQUOT'])('has a code of its own for %s', (code) => {
    const error = fileError('write', 'map.npy', system(code))
    expect(error).toMatchObject({ code: 'ERR_DIFFSAL_NO_SPACE', argument: 'map.npy' })
    expect(error.message).toMatch(/disk is full.*'map\.npy'.*free some space/)
  })
})

it('a message has an end, whatever a library quotes in it', () => {
  const { message } = new DiffSalError('ERR_DIFFSAL_FILE', `'a.csv' ${'x'.repeat(1e6)} its end.`)
  expect(message).toMatch(/^'a\.csv' x+ … x+ its end\.$/)
  expect(message.length).toBeLessThan(20_000)
})
