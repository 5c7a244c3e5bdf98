import { DiffSal, logMel, melSlices, metrics, schedule, tensor, trainingLoss } from '../../lib/index.ts'
import { lightConfig } from '../support/tiny-config.ts'
import type { Random } from './random.ts'
import type { Target } from './reader-targets.ts'

const arrays = [Float32Array, Float64Array, Uint8Array, Int8Array, Int32Array, BigInt64Array, Uint8ClampedArray] as const
const dtypes = ['float32', 'float64', 'uint8', 'int64'] as const
const numbers = [0, 1, 2, 3, 4, 5, -1, 0.5, 1e-300, 1e300, 2 ** 31, 2 ** 53, -0, NaN, Infinity]

/** Any value, as a program with a mistake would hand it over. */
function anything(random: Random, depth = 0): unknown {
  const kind = random.below(depth > 2 ? 8 : 14)
  switch (kind) {
    case 0:
      return undefined
    case 1:
      return null
    case 2:
      return random.one(numbers)
    case 3:
      return random.one(['', 'float32', 'a', '\0', '__proto__'])
    case 4:
      return random.chance(0.5)
    case 5:
      return BigInt(random.below(9))
    case 6:
      return Symbol('x')
    case 7:
      return () => 1
    case 8:
      return Array.from({ length: random.below(5) }, () => anything(random, depth + 1))
    case 9:
      return { ...(anyTensor(random, [random.below(4), 2]) as object), [random.one(['shape', 'data', 'dtype'])]: anything(random, depth + 1) }
    case 10:
      return anyTensor(
        random,
        Array.from({ length: random.below(5) }, () => random.below(6)),
      )
    case 11:
      return new (random.one(arrays))(random.below(20))
    case 12:
      return Object.fromEntries(
        [
          ['steps', anything(random, depth + 1)],
          ['seed', anything(random, depth + 1)],
          ['eta', anything(random, depth + 1)],
        ].slice(random.below(3)),
      )
    default:
      return new Date(0)
  }
}

/** Of ES2024, which the project's own code does not use. */
const GrowableBuffer = ArrayBuffer as unknown as new (
  bytes: number,
  options?: { maxByteLength: number },
) => ArrayBuffer & { readonly resizable: boolean; resize(bytes: number): void }

/** A tensor: right, or in one thing wrong. */
function anyTensor(random: Random, shape: readonly number[], dtype: (typeof dtypes)[number] = random.one(dtypes)): unknown {
  const count = shape.reduce((product, size) => product * size, 1) + (random.chance(0.1) ? random.below(3) - 1 : 0)
  const array = { float32: Float32Array, float64: Float64Array, uint8: Uint8Array, int64: BigInt64Array }[random.chance(0.93) ? dtype : random.one(dtypes)]
  const bytes = Math.max(count, 0) * array.BYTES_PER_ELEMENT
  const buffer = new GrowableBuffer(bytes, random.chance(0.1) ? { maxByteLength: bytes + 4096 } : undefined)
  const data = new array(buffer)
  for (let i = 0; i < data.length; i++) data[i] = array === BigInt64Array ? BigInt(random.below(5)) : random.chance(0.01) ? random.one(numbers) : random.unit()
  const fate = random.unit()
  if (fate < 0.03) structuredClone(buffer, { transfer: [buffer] })
  else if (fate < 0.06 && buffer.resizable) buffer.resize(random.below(16))
  return { dtype: random.chance(0.97) ? dtype : random.one(dtypes), shape: random.chance(0.95) ? [...shape] : [...shape, 1], data }
}

/** The functions and methods that hand their arguments to the addon, with arguments of every kind. */
export function bindingTarget(): Target {
  let model: Promise<DiffSal> | undefined
  return {
    name: 'binding',
    weight: 25,
    async run(random) {
      const shape = [1 + random.below(2), 1 + random.below(9), 1 + random.below(9)]
      const or = (value: () => unknown): never => (random.chance(0.85) ? value() : anything(random)) as never
      const map = (dtype: (typeof dtypes)[number]) => or(() => anyTensor(random, shape, dtype))
      const options = () =>
        or(() => ({
          ...(random.chance(0.5) && { steps: or(() => 1 + random.below(3)) }),
          ...(random.chance(0.5) && { seed: or(() => random.below(99)) }),
          ...(random.chance(0.3) && { eta: or(() => random.unit()) }),
        }))
      switch (random.below(10)) {
        case 0:
          return metrics[random.one(['cc', 'sim', 'kl'] as const)](map('float32'), map('float64'))
        case 1:
          return metrics[random.one(['nss', 'aucJudd'] as const)](map('float64'), map('uint8'))
        case 2:
          return metrics.shuffledAuc(map('float32'), map('uint8'), map('uint8'))
        case 3:
          return metrics.informationGain(map('float32'), map('uint8'), map('float32'))
        case 4:
          return trainingLoss(map('float32'), map('float32'))
        case 5:
          return schedule.ddimStep(
            map('float32'),
            map('float32'),
            or(() => random.below(1000)),
            or(() => random.below(1000)),
          )
        case 6:
          return random.chance(0.5)
            ? schedule.ddimTimes(or(() => random.below(20)))
            : tensor(
                or(() => random.one(dtypes)),
                or(() => shape),
                or(() => new Float32Array(shape[0]! * shape[1]! * shape[2]!)),
              )
        case 7:
          return random.chance(0.5)
            ? logMel(
                or(() => new Float32Array(2000)),
                or(() => 16000),
              )
            : melSlices(
                or(() => new Float32Array(2000)),
                or(() => ({ sampleRate: 16000, size: [32, 48], slots: 9 })),
              )
        case 8: {
          const living = await (model ??= DiffSal.create(lightConfig, { seed: 1, threads: 1, device: 'cpu' }))
          const frames = or(() => anyTensor(random, [16, 64, 96, 3], 'uint8'))
          return living.predict({ frames, audio: or(() => null) }, options())
        }
        default: {
          const living = await (model ??= DiffSal.create(lightConfig, { seed: 1, threads: 1, device: 'cpu' }))
          using features = await living.encode({ frames: { dtype: 'uint8', shape: [16, 64, 96, 3], data: new Uint8Array(16 * 64 * 96 * 3) }, audio: null })
          return await living.denoise(
            or(() => anyTensor(random, [1, 1, 64, 96], 'float32')),
            or(() => random.below(1000)),
            or(() => features),
            options(),
          )
        }
      }
    },
  }
}
