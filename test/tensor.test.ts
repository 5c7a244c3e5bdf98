import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { type DType, dtypes } from '../lib/dtype.ts'
import { tensor, type Tensor } from '../lib/index.ts'
import { checkTensor, elementCount } from '../lib/tensor.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { resizable } from './support/hostile.ts'

const refused = async (action: () => unknown, argument: string, ...parts: (string | RegExp)[]) => {
  const error = await expectDiffSalError(action, 'ERR_DIFFSAL_INVALID_ARGUMENT', `'${argument}'`, ...parts)
  expect(error.argument).toBe(argument)
}

describe('tensor', () => {
  it.each(Object.keys(dtypes) as DType[])('makes one of %s', (dtype) => {
    const data = new dtypes[dtype].array(6)
    const made = tensor(dtype, [2, 3], data)
    expect(made).toEqual({ dtype, shape: [2, 3], data })
    expect(made.data).toBe(data)
  })

  it("takes another realm's array, and no object that only says it is one", async () => {
    const foreign = runInNewContext('new Float32Array([1, 2])') as Float32Array
    expect(foreign instanceof Float32Array).toBe(false)
    expect(tensor('float32', [2], foreign).data).toBe(foreign)
    const fake = Object.create(Float32Array.prototype) as Float32Array
    await refused(() => tensor('float32', [0], fake), 'tensor.data', 'a Float32Array')
  })

  it('makes a scalar, and empty ones', () => {
    expect(tensor('float32', [], new Float32Array([7])).shape).toEqual([])
    expect(tensor('float32', [3, 0, 2], new Float32Array(0)).shape).toEqual([3, 0, 2])
  })

  it('copies the shape, not the data', () => {
    const shape = [2]
    const data = new Float32Array(2)
    const made = tensor('float32', shape, data)
    shape[0] = 9
    data[1] = 5
    expect(made).toEqual({ dtype: 'float32', shape: [2], data: new Float32Array([0, 5]) })
  })

  it('takes a view into a larger buffer, and a Buffer as uint8', () => {
    expect(tensor('float32', [2], new Float32Array(10).subarray(3, 5)).data).toHaveLength(2)
    expect(tensor('uint8', [4], Buffer.from('abcd')).data[3]).toBe(100)
  })

  it('refuses data that does not fill the shape', async () => {
    await refused(() => tensor('float32', [2, 3], new Float32Array(5)), 'tensor.data', '6 elements', '[2, 3]', '5 elements')
    await refused(() => tensor('float32', [], new Float32Array(0)), 'tensor.data', '1 elements')
  })

  it.each([[Array(2 ** 32 - 1)], [Object.setPrototypeOf([4], null) as number[]], [Array(65).fill(1) as number[]]])(
    'refuses a shape that is no short list',
    (shape) => refused(() => tensor('float32', shape, new Float32Array(4)), 'tensor.shape', 'non-negative integers'),
  )

  it('takes the numbers of a list that iterates otherwise', () => {
    const shape = Object.defineProperty([4], Symbol.iterator, {
      value: () => {
        throw new TypeError('no')
      },
    })
    expect(tensor('float32', shape, new Float32Array(4)).shape).toEqual([4])
  })

  it('refuses a shape with a hole', () =>
    refused(() => checkTensor('x', { dtype: 'float32', shape: Array(1), data: new Float32Array(1) }, ['float32']), 'x.shape', 'non-negative integers'))

  it.each([[[-1]], [[1.5]], [['2']], [[NaN]], [[Infinity]]])('refuses the shape %j', (shape) =>
    refused(() => tensor('float32', shape as number[], new Float32Array(1)), 'tensor.shape', 'non-negative integers'),
  )

  it('refuses an array of another type', async () => {
    await refused(() => tensor('float32', [1], new Float64Array(1) as never), 'tensor.data', 'Float32Array', 'Float64Array of length 1')
    await refused(() => tensor('uint8', [1], new Uint8ClampedArray(1) as never), 'tensor.data', 'Uint8Array')
    await refused(() => tensor('int64', [1], new BigUint64Array(1) as never), 'tensor.data', 'BigInt64Array')
    await refused(() => tensor('float32', [1], [1] as never), 'tensor.data', 'Float32Array')
    await refused(() => tensor('float32', [1], new ArrayBuffer(4) as never), 'tensor.data', 'Float32Array')
  })

  it('refuses a dtype that is none', () => refused(() => tensor('toString' as never, [1], new Float32Array(1) as never), 'dtype', "'float32'"))

  it('refuses a buffer that has shrunk', async () => {
    const buffer = resizable(16)
    const data = new Float32Array(buffer)
    expect(tensor('float32', [4], data).shape).toEqual([4])
    buffer.resize(8)
    await refused(() => tensor('float32', [4], data), 'tensor.data', '4 elements', '2 elements')
    await refused(() => tensor('float32', [4], new Float32Array(buffer, 4)), 'tensor.data', '1 elements')
  })

  it('refuses a buffer that was handed to another thread', async () => {
    const data = new Float32Array(4)
    structuredClone(data, { transfer: [data.buffer] })
    await refused(() => tensor('float32', [4], data), 'tensor.data', '4 elements', '0 elements')
  })
})

describe('checkTensor', () => {
  const floats: Tensor<'float32'> = { dtype: 'float32', shape: [1], data: new Float32Array(1) }

  it('gives what it has read, once, with the same memory', () => {
    let reads = 0
    const counting = {
      get dtype() {
        return (reads++, 'float32')
      },
      get shape() {
        return (reads++, [1])
      },
      get data() {
        return (reads++, floats.data)
      },
    }
    const checked = checkTensor('x', counting, ['uint8', 'float32'])
    expect(checked).toEqual(floats)
    expect(checked.data.buffer).toBe(floats.data.buffer)
    expect([Object.isFrozen(checked), Object.isFrozen(checked.shape)]).toEqual([true, true])
    expect(reads).toBe(3)
  })

  it('asks neither a subclass nor properties of the array for anything', () => {
    class Deceiving extends Float32Array {
      override get length() {
        return 1000
      }
      static get [Symbol.species]() {
        return Array as never
      }
    }
    const hidden = Object.defineProperties(new Float32Array(4), {
      length: { value: 1000 },
      buffer: { value: null },
      byteOffset: { value: -1 },
      constructor: { value: null },
    })
    for (const data of [new Deceiving(4), hidden]) {
      const checked = checkTensor('x', { dtype: 'float32', shape: [4], data }, ['float32'])
      expect(checked.data).toStrictEqual(new Float32Array(4))
    }
  })

  it.each([undefined, null, 3, 'x', new Float32Array(1), {}, { dtype: 'float32', shape: [1] }])('refuses %o', (value) =>
    refused(() => checkTensor('x', value, ['uint8', 'float32']), 'x', "{ dtype: 'uint8' | 'float32', shape, data }"),
  )

  it('refuses a dtype that is not wanted, or not known', async () => {
    await refused(() => checkTensor('x', floats, ['uint8', 'int64']), 'x.dtype', "'uint8' or 'int64'", "'float32' came")
    await refused(() => checkTensor('x', { ...floats, dtype: 'float16' }, ['float32']), 'x.dtype', "'float16' came")
    await refused(() => checkTensor('x', { ...floats, dtype: 'toString' }, ['float32']), 'x.dtype')
  })

  it('refuses a shape that is no array', async () => {
    await refused(() => checkTensor('x', { ...floats, shape: '1' }, ['float32']), 'x.shape', 'an array')
  })

  it('is not deceived by sizes whose product is past exact numbers', async () => {
    await refused(() => checkTensor('x', { ...floats, shape: [2 ** 40, 2 ** 40] }, ['float32']), 'x.data', '1 elements came')
  })
})

describe('elementCount', () => {
  it('is the product of the sizes', () => {
    expect(elementCount([])).toBe(1)
    expect(elementCount([2, 3, 4])).toBe(24)
    expect(elementCount([2, 0])).toBe(0)
  })
})
