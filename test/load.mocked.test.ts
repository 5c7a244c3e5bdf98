import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { readHeader } from '../lib/checkpoint/safetensors.ts'
import { DiffSal, DiffSalError } from '../lib/index.ts'
import { writeBytes } from './support/damaged-safetensors.ts'
import { expectClose } from './support/expect-close.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { rewriteWeights, type StoredTensor } from './support/rewrite-weights.ts'
import { temporaryPath } from './support/temporary.ts'
import { likeliest } from './support/nightly.ts'
import { noiseLike } from './support/test-values.ts'
import { testWeights } from './support/test-weights.ts'
import { lightConfig, tinyConfig } from './support/tiny-config.ts'
import { tinyInputs } from './support/tiny-inputs.ts'

const between = vi.hoisted(() => ({ headerAndData: async () => {} }))

vi.mock('../lib/checkpoint/safetensors.ts', async (original) => {
  const actual = await original<typeof import('../lib/checkpoint/safetensors.ts')>()
  return {
    ...actual,
    readHeader: async (path: string) => {
      const header = await actual.readHeader(path)
      await between.headerAndData()
      return header
    },
  }
})

const { frames, mel, noise } = tinyInputs()
let count = 0

/** A file of initial weights. */
async function weights(seed: number): Promise<string> {
  const path = temporaryPath(`load-${count++}.safetensors`)
  await using model = await DiffSal.create(lightConfig, { seed, threads: 1 })
  await model.save(path)
  return path
}

/** The data of a file, by the name of its tensor. */
async function dataOf(path: string): Promise<Map<string, Uint8Array>> {
  const [{ tensors }, bytes] = await Promise.all([readHeader(path), readFile(path)])
  return new Map([...tensors].map(([name, { begin, end }]) => [name, bytes.subarray(begin, end)]))
}

/** A copy of a file whose data begin some bytes later. */
async function moved(from: string, by: number): Promise<string> {
  // Without its checksum, which another place of the data would break.
  const plain = await rewriteWeights(from, () => {})
  const [{ dataStart }, bytes] = await Promise.all([readHeader(plain), readFile(plain)])
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(dataStart - 8 + by))
  return writeBytes(Buffer.concat([length, bytes.subarray(8, dataStart), Buffer.alloc(by, ' '), bytes.subarray(dataStart)]))
}

/** What the weights at `path` are once loaded: saved again, as F32. */
async function loadedData(path: string): Promise<Map<string, Uint8Array>> {
  const again = temporaryPath(`load-${count++}.safetensors`)
  await using model = await DiffSal.load(path, { threads: 1 })
  await model.save(again)
  return dataOf(again)
}

/** The names of the tensors whose bytes differ. */
const differing = (a: Map<string, Uint8Array>, b: Map<string, Uint8Array>) =>
  [...new Set([...a.keys(), ...b.keys()])].filter((name) => !a.has(name) || !b.has(name) || Buffer.compare(a.get(name)!, b.get(name)!) !== 0)

const predict = (model: DiffSal) => model.predict({ frames, mel }, { steps: 1, noise })

let golden: string

beforeAll(async () => {
  golden = await weights(1)
})

describe('weights of other types', () => {
  const numbers = (name: string, length: number) => Uint32Array.from(noiseLike(name, length), (value) => value * 2 ** 24)

  /** The number that 16 bits mean, by IEEE 754. */
  function half(bits: number): number {
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  }

  /** Bytes of any value that the type has (but infinity and NaN), and the float32 numbers that they mean. */
  const make: Record<'F16' | 'BF16' | 'F64' | 'F32', (name: string, length: number) => { bytes: Uint8Array; floats: Float32Array }> = {
    F16: (name, length) => {
      const bits = Uint16Array.from(numbers(name, length), (value) => (value % 0x7c00) | ((value >> 8) & 0x8000))
      return { bytes: new Uint8Array(bits.buffer), floats: Float32Array.from(bits, half) }
    },
    BF16: (name, length) => {
      const bits = Uint16Array.from(numbers(name, length), (value) => (value % 0x7f80) | ((value >> 8) & 0x8000))
      return { bytes: new Uint8Array(bits.buffer), floats: new Float32Array(Uint32Array.from(bits, (value) => value * 65536).buffer) }
    },
    F64: (name, length) => {
      const values = Float64Array.from(numbers(name, length), (value, i) => Math.sin(value) * 10 ** ((i % 60) - 30))
      return { bytes: new Uint8Array(values.buffer), floats: Float32Array.from(values) }
    },
    F32: (name, length) => {
      const floats = Float32Array.from(numbers(name, length), Math.sin)
      return { bytes: new Uint8Array(floats.buffer), floats }
    },
  }

  const rewrite = async (type: (i: number) => keyof typeof make) => {
    const expected = new Map<string, Uint8Array>()
    const path = await rewriteWeights(golden, (tensors) => {
      // The one of a single number goes first: as F16, it moves the others to addresses that no number likes.
      const rest = [...tensors]
      const single = rest.splice(
        rest.findIndex(([, { shape }]) => shape.join() === '1'),
        1,
      )
      tensors.clear()
      for (const [name, tensor] of [...single, ...rest]) tensors.set(name, tensor)
      for (const [i, [name, { shape }]] of [...tensors].entries()) {
        const dtype = type(i)
        const { bytes, floats } = make[dtype](
          name,
          shape.reduce((a, b) => a * b, 1),
        )
        expected.set(name, new Uint8Array(floats.buffer))
        tensors.set(name, { dtype, shape, bytes } satisfies StoredTensor)
      }
    })
    return { path, expected }
  }

  it.each(['F16', 'BF16', 'F64', 'F32'] as const)('are read: %s', async (dtype) => {
    const { path, expected } = await rewrite(() => dtype)
    expect(differing(await loadedData(path), expected)).toEqual([])
  })

  it('may be mixed, and lie at any address', async () => {
    const types = ['F16', 'F64', 'BF16', 'F32', 'F16', 'F32', 'F64'] as const
    const { path, expected } = await rewrite((i) => types[i % types.length]!)
    const offsets = [...(await readHeader(path)).tensors.values()].map(({ begin }) => begin % 8)
    expect(offsets.filter((offset) => offset % 4 === 2).length).toBeGreaterThan(100)
    expect(differing(await loadedData(path), expected)).toEqual([])
  })

  it('may begin at an odd address', async () => {
    const path = await moved(golden, 1)
    expect((await readHeader(path)).dataStart % 2).toBe(1)
    expect(differing(await loadedData(path), await dataOf(golden))).toEqual([])
  })
})

describe('a loaded model', () => {
  it('is not in the order of the file, but by name', async () => {
    const path = await rewriteWeights(golden, (tensors) => {
      const reversed = [...tensors].reverse()
      tensors.clear()
      for (const [name, tensor] of reversed) tensors.set(name, tensor)
    })
    expect(differing(await loadedData(path), await dataOf(golden))).toEqual([])
  })

  // A matrix library may calculate in another order where memory begins elsewhere.
  it.each(likeliest(['eca', 'sca', 'none'] as const))('predicts the same map, bit for bit, wherever its file begins (%s)', async (attention) => {
    const file = await testWeights({ ...tinyConfig, attention })
    const maps = []
    for (const by of [0, 4, 20, 60]) {
      await using model = await DiffSal.load(await moved(file, by))
      maps.push(await predict(model))
    }
    for (const map of maps) expectClose(map, maps[0]!, 0)
  })

  it('keeps its weights when its file is removed, or replaced by another', async () => {
    const path = temporaryPath('replaced.safetensors')
    await copyFile(golden, path)
    await using model = await DiffSal.load(path, { threads: 1 })
    await rename(await weights(2), path)
    await using other = await DiffSal.load(path, { threads: 1 })
    await rm(path)
    await using first = await DiffSal.load(golden, { threads: 1 })
    expectClose(await predict(model), await predict(first), 0)
    expect((await predict(other)).data).not.toEqual((await predict(first)).data)
  })

  it('shares its file with others of the same', async () => {
    const models = await Promise.all(Array.from({ length: 4 }, () => DiffSal.load(golden, { threads: 1 })))
    const maps = await Promise.all(models.map(predict))
    for (const map of maps.slice(1)) expectClose(map, maps[0]!, 0)
    await Promise.all(models.map((model) => model.dispose()))
  })
})

describe('a file that another replaces while it is loaded', () => {
  it.each([
    ['the same layout', async (path: string) => path],
    [
      'a longer header',
      (path: string) =>
        rewriteWeights(
          path,
          () => {},
          (metadata) => (metadata.note = 'x'.repeat(1000)),
        ),
    ],
    [
      'another order',
      (path: string) =>
        rewriteWeights(path, (tensors) => {
          const [first] = tensors
          tensors.delete(first![0])
          tensors.set(...first!)
        }),
    ],
  ])('of %s is loaded, or the other is, or neither: never some of both', async (_, change) => {
    const path = temporaryPath('swapped.safetensors')
    await copyFile(golden, path)
    const other = await change(await weights(2))
    const wanted = [await dataOf(golden), await dataOf(other)]
    between.headerAndData = async () => {
      between.headerAndData = async () => {}
      await rename(other, path)
    }
    let loaded: Map<string, Uint8Array>
    try {
      loaded = await loadedData(path)
    } catch (error) {
      expect(error).toBeInstanceOf(DiffSalError)
      expect((error as DiffSalError).code).toBe('ERR_DIFFSAL_CHECKPOINT')
      expect((error as DiffSalError).message).toMatch(path)
      expect((error as DiffSalError).message).toMatch(/changed|replaced/)
      return
    }
    expect(Math.min(...wanted.map((data) => differing(loaded, data).length))).toBe(0)
  })

  it('that became shorter is refused', async () => {
    const path = temporaryPath('shortened.safetensors')
    await copyFile(golden, path)
    const bytes = await readFile(golden)
    between.headerAndData = async () => {
      between.headerAndData = async () => {}
      await writeFile(path, bytes.subarray(0, bytes.length >> 1))
    }
    await expectDiffSalError(() => DiffSal.load(path, { threads: 1 }), 'ERR_DIFFSAL_CHECKPOINT', path, 'changed')
  })

  it('that is gone is named', async () => {
    const path = temporaryPath('gone.safetensors')
    await copyFile(golden, path)
    between.headerAndData = async () => {
      between.headerAndData = async () => {}
      await rm(path)
    }
    await expectDiffSalError(() => DiffSal.load(path, { threads: 1 }), 'ERR_DIFFSAL_FILE', path)
  })
})

describe('parameters', () => {
  it("have the published checkpoints' names and shapes", async () => {
    await using model = await DiffSal.create({}, { seed: 1, threads: 1 })
    const parameters = new Map(model.parameters().map(({ name, ...parameter }) => [name, parameter]))
    const learned = (...shape: number[]) => ({ shape, dtype: 'float32', buffer: false })
    for (const [name, expected] of Object.entries({
      'visual_net.cls_token': learned(1, 1, 96),
      'visual_net.patch_embed.projection.weight': learned(96, 3, 3, 7, 7),
      'visual_net.blocks.0.attn.qkv.weight': learned(288, 96),
      'visual_net.blocks.0.attn.rel_pos_h': learned(111, 96),
      'visual_net.blocks.15.mlp.fc2.weight': learned(768, 3072),
      'audio_net.features.0.weight': learned(64, 1, 3, 3),
      'decoder_net.conv_in.weight': learned(96, 1, 3, 3),
      'decoder_net.logits.linear_pred.weight': learned(1, 96, 1, 1),
      'decoder_net.invpt_decoder.norm_mts.3.weight': learned(96),
      'decoder_net.invpt_decoder.mt_proj.1.running_var': { ...learned(96), buffer: true },
    })) {
      expect({ name, ...parameters.get(name) }).toEqual({ name, ...expected })
    }
    const all = [...parameters.values()].filter(({ buffer }) => !buffer)
    const total = all.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
    expect((total / 1e6).toFixed(2)).toBe('76.91')
    expect(parameters.size).toBe(model.parameters().length)
  })
})
