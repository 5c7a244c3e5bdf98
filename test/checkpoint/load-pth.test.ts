import { readFile, writeFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { readHeader } from '../../lib/checkpoint/safetensors.ts'
import { DiffSal, setLogger, type LoadOptions, type PartialDiffSalConfig } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { orderedDict, PyCall, PyGlobal, tuple } from '../support/pickle-writer.ts'
import { pthLegacy, pthZip, PyTensor, rowMajor, storage, tensor } from '../support/pth-writer.ts'
import { writePth } from '../support/write-pth.ts'
import { temporaryPath } from '../support/temporary.ts'
import { testWeights } from '../support/test-weights.ts'
import { tinyInputs } from '../support/tiny-inputs.ts'
import { torchvisionName } from '../support/torchvision-names.ts'

// The writer's files are those of torch.save byte by byte (test/support/pth-writer.test.ts). The same was checked against PyTorch 2.13
// itself, on the reference network with its test values, by:
//
//   model = diffsal_ref.fill_test_values(diffsal_ref.DiffSal(diffsal_ref.Config()))
//   parallel, adam = torch.nn.DataParallel(model), torch.optim.Adam(model.parameters())
//   checkpoint = {'state_dict': parallel.state_dict(), 'optim_dict': adam.state_dict(), 'epoch': 1, 'step': 2}
//   torch.save(checkpoint, 'checkpoint.pth')
//   torch.save(checkpoint, 'legacy.pth', _use_new_zipfile_serialization=False)
//
// with pickle_protocol from 1 to 5, and with the state dict in float16, bfloat16 and float64: `DiffSal.load` gave the maps of the
// safetensors file of the same model, bit for bit where the type holds float32.

/** What the shapes of a network do not tell, but for the heads of its attention. */
const untold: PartialDiffSalConfig = { size: [64, 96], normGroups: 4 }
const width = 8
const config: PartialDiffSalConfig = {
  ...untold,
  videoEncoder: { embedDim: width, depth: 4, downscaleAt: [1, 2, 3] },
  audioEncoder: { widths: [[4], [8], [8], [16]], headDim: 8, hidden: 16 },
  unetWidth: width,
}

type Weights = Map<string, { shape: readonly number[]; data: Float32Array }>

/** The tensors of a safetensors file of float32. */
async function readWeights(path: string): Promise<Weights> {
  const [header, bytes] = await Promise.all([readHeader(path), readFile(path)])
  return new Map(
    [...header.tensors].map(([name, { shape, begin, end }]) => [name, { shape, data: new Float32Array(Uint8Array.from(bytes.subarray(begin, end)).buffer) }]),
  )
}

/** What a model holds, as it saves it. */
async function weightsOf(path: string, options: LoadOptions = { config: untold }): Promise<Weights> {
  await using model = await DiffSal.load(path, options)
  const saved = temporaryPath(`saved-${count++}.safetensors`)
  await model.save(saved)
  return readWeights(saved)
}

/** As `toEqual`, but says which tensors differ rather than how. */
function expectSame(given: Weights, wanted: Weights): void {
  expect([...given.keys()]).toEqual([...wanted.keys()])
  const differing = [...given].filter(([name, { shape, data }]) => {
    const other = wanted.get(name)!
    return shape.join() !== other.shape.join() || Buffer.compare(Buffer.from(data.buffer), Buffer.from(other.data.buffer)) !== 0
  })
  expect(differing.map(([name]) => name)).toEqual([])
}

const without = (given: Weights, left: (name: string) => boolean): Weights => new Map([...given].filter(([name]) => !left(name)))

let count = 0
let weights: Weights
let reference: string

beforeAll(async () => {
  reference = await testWeights(config)
  weights = await readWeights(reference)
})

const stateDict = (change: (name: string) => string = (name) => name): PyCall =>
  orderedDict([...weights].map(([name, { shape, data }]) => [change(name), tensor(data, shape)]))

describe.each<[string, (value: unknown) => Buffer]>([
  ['the zip format', (value) => pthZip(value)],
  ['the legacy format', (value) => pthLegacy(value)],
])('DiffSal.load, of %s', (_, save) => {
  it('gives the maps of the safetensors file, bit for bit', async () => {
    const path = await writePth(
      save(
        new Map<string, unknown>([
          ['state_dict', stateDict((name) => `module.${name}`)],
          ['optim_dict', new Map<string, unknown>([['state', new Map([[0, new Map([['exp_avg', tensor(new Float32Array(9), [9])]])]])]])],
          ['epoch', 3],
          ['step', 1000],
        ]),
      ),
    )
    const { frames, mel, noise } = tinyInputs()
    const maps = []
    for (const [file, options] of [
      [reference, {}],
      [path, { config: untold }],
    ] as const) {
      await using model = await DiffSal.load(file, options)
      maps.push(await model.predict({ frames, mel }, { steps: 2, noise }))
    }
    expect(maps[1]).toEqual(maps[0])
  })

  it('tells the configuration by itself, but for what shapes cannot', async () => {
    await using saved = await DiffSal.load(reference)
    await using model = await DiffSal.load(await writePth(save(stateDict())), { config: untold })
    expect(model.config).toEqual(saved.config)
    await using other = await DiffSal.load(await writePth(save(stateDict())), {
      config: { ...untold, size: [96, 64], interaction: 'addition' },
    })
    expect(other.config).toEqual({ ...saved.config, size: [96, 64], interaction: 'addition' })
  })

  it('loads transposed views, views in steps, and views of one storage', async () => {
    const flat = new Float32Array([...weights.values()].reduce((sum, { data }) => sum + data.length, 0))
    const base = storage(flat)
    const items: [string, PyTensor][] = []
    let offset = 0
    for (const [i, [name, { shape, data }]] of [...weights].entries()) {
      if (i % 3 === 0 && shape.length >= 2) {
        // The first two dimensions are the other way round in memory.
        const [rows, columns] = [shape[0]!, shape[1]!]
        const rest = data.length / rows / columns
        const turned = new Float32Array(data.length)
        for (let r = 0; r < rows; r++) {
          for (let c = 0; c < columns; c++) turned.set(data.subarray((r * columns + c) * rest, (r * columns + c + 1) * rest), (c * rows + r) * rest)
        }
        const strides = rowMajor(shape)
        items.push([name, new PyTensor(storage(turned), shape, [rest, rows * rest, ...strides.slice(2)])])
      } else if (i % 3 === 1 && shape.length === 1) {
        const spread = new Float32Array(2 * data.length + 1).fill(NaN)
        data.forEach((value, k) => (spread[2 * k + 1] = value))
        items.push([name, new PyTensor(storage(spread), shape, [2], 1)])
      } else {
        flat.set(data, offset)
        items.push([name, new PyTensor(base, shape, rowMajor(shape), offset)])
        offset += data.length
      }
    }
    expectSame(await weightsOf(await writePth(save(orderedDict(items)))), weights)
  })

  it('names what is missing, misshapen and not known', async () => {
    const items = stateDict().items.filter(([name]) => name !== 'visual_net.cls_token') as [string, PyTensor][]
    const bias = items.find(([name]) => name === 'decoder_net.down1.conv.bias')!
    bias[1] = tensor(new Float32Array(5), [5])
    items.push(['spare.weight', tensor(new Float32Array(1), [1])])
    const path = await writePth(save(orderedDict(items)))
    await expectDiffSalError(
      () => DiffSal.load(path, { config: untold }),
      'ERR_DIFFSAL_CHECKPOINT',
      path,
      /missing: visual_net\.cls_token/,
      /down1\.conv\.bias is \[5\] instead/,
      'spare.weight',
    )
  })

  it('names a tensor of integers where weights are due', async () => {
    const items = stateDict().items.map(([name, value]) =>
      name === 'decoder_net.conv_in.bias' ? ([name, tensor(new Int32Array(width), [width])] as const) : ([name, value] as const),
    )
    const path = await writePth(save(orderedDict(items)))
    await expectDiffSalError(() => DiffSal.load(path, { config: untold }), 'ERR_DIFFSAL_CHECKPOINT', path, 'decoder_net.conv_in.bias', 'I32')
  })

  it('refuses a checkpoint that would run code', async () => {
    const path = await writePth(
      save(
        new Map<string, unknown>([
          ['state_dict', stateDict()],
          ['hook', new PyCall(new PyGlobal('os', 'system'), tuple('true'))],
        ]),
      ),
    )
    await expectDiffSalError(() => DiffSal.load(path, { config: untold }), 'ERR_DIFFSAL_CHECKPOINT', path, "'os.system'")
  })

  it.each<[string, string, (bits: number) => number]>([
    ['float16', 'HalfStorage', halfBits],
    ['bfloat16', 'BFloat16Storage', (bits) => bits >>> 16],
  ])('widens %s', async (__, type, narrow) => {
    // Values that all three types hold exactly, without -0.
    const rounded: Weights = new Map(
      [...weights].map(([name, { shape, data }]) => [name, { shape, data: data.map((value) => Math.round(value * 64) / 64 + 0) }]),
    )
    const items = [...rounded].map(([name, { shape, data }]) => [name, tensor(Uint16Array.from(new Uint32Array(data.buffer), narrow), shape, type)] as const)
    expectSame(await weightsOf(await writePth(save(orderedDict(items)))), rounded)
  })

  it('narrows float64', async () => {
    const items = [...weights].map(([name, { shape, data }]) => [name, tensor(Float64Array.from(data), shape)] as const)
    expectSame(await weightsOf(await writePth(save(orderedDict(items)))), weights)
  })
})

describe('DiffSal.load, of a .pth', () => {
  it('goes by the first bytes, not by the name', async () => {
    const path = temporaryPath('checkpoint.safetensors')
    await writeFile(path, pthZip(stateDict()))
    expectSame(await weightsOf(path), weights)
  })

  it('takes records that were compressed', async () => {
    const bytes = pthZip(stateDict(), {
      change: (records) => records.map((record) => (/data\/1?\d$|pkl$/.test(record.name) ? { ...record, deflate: true } : record)),
    })
    expectSame(await weightsOf(await writePth(bytes)), weights)
  })

  it('gives tensors that share their memory each its own', async () => {
    const shared = storage(weights.get('visual_net.norm0.weight')!.data)
    const items = stateDict().items.map(([name, value]) =>
      /norm0\.(weight|bias)$/.test(name as string) ? ([name, new PyTensor(shared, [width], [1])] as const) : ([name, value] as const),
    )
    const loaded = await weightsOf(await writePth(pthZip(orderedDict(items))))
    expect(loaded.get('visual_net.norm0.bias')).toEqual(weights.get('visual_net.norm0.weight'))
  })

  it('resizes tables of relative positions', async () => {
    const longer = await testWeights({ ...config, videoEncoder: { ...config.videoEncoder, pretrainSize: [32, 256, 256] } })
    const tables = await readWeights(longer)
    const path = await writePth(pthZip(orderedDict([...tables].map(([name, { shape, data }]) => [name, tensor(data, shape)]))))
    // As they are: the network resizes them where it needs another length.
    expectSame(await weightsOf(path), tables)
    const resized = await weightsOf(path, { config: { ...untold, videoEncoder: { pretrainSize: [16, 224, 224] } } })
    expect(resized.size).toBe(weights.size)
    for (const [name, { shape, data }] of resized) {
      const table = tables.get(name)!
      expect(shape).toEqual(weights.get(name)!.shape)
      const wanted = linear(table.data, table.shape[0]!, shape[0]!)
      const worst = data.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0)
      // The positions are rounded to float32, too.
      expect(worst, name).toBeLessThan(2e-5)
    }
    expect(resized.get('visual_net.blocks.0.attn.rel_pos_t')!.shape).toEqual([15, width])
  })

  it('refuses shapes that are of no network', async () => {
    const items = [...weights].map(([name, { shape, data }]) =>
      name === 'decoder_net.conv_in.weight' ? ([name, tensor(new Float32Array(9 * 9), [9, 1, 3, 3])] as const) : ([name, tensor(data, shape)] as const),
    )
    const path = await writePth(pthZip(orderedDict(items)))
    for (const given of [{}, { config: untold }]) {
      await expectDiffSalError(() => DiffSal.load(path, given), 'ERR_DIFFSAL_CHECKPOINT', path, 'unetWidth', "'config'")
    }
    await expectDiffSalError(() => DiffSal.load(path, { config: { unetWidth: 31 } }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'unetWidth')
  })
})

describe('DiffSal.load, of an encoder by itself', () => {
  const warnings: string[] = []
  const load = async (items: readonly (readonly [string, PyTensor])[]): Promise<Weights> => {
    const logger = (level: string, message: string) => void (level === 'warn' && warnings.push(message))
    setLogger(logger)
    try {
      return await weightsOf(await writePth(pthZip(orderedDict(items))))
    } finally {
      setLogger(undefined)
    }
  }
  const part = (prefix: string): (readonly [string, PyTensor])[] =>
    [...weights].flatMap(([name, { shape, data }]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), tensor(data, shape)] as const] : []))

  it("takes MViTv2 in torchvision's naming, and draws the rest", async () => {
    const token = new Float32Array(2 * width).fill(NaN)
    weights.get('visual_net.cls_token')!.data.forEach((value, i) => (token[2 * i] = value))
    const items = part('visual_net.')
      .filter(([name]) => !/^norm[012]\./.test(name))
      .map(([name, value]) => [torchvisionName(name), name === 'cls_token' ? new PyTensor(storage(token), [width], [2]) : value] as const)
    const loaded = await load([...items, ['head.1.weight', tensor(new Float32Array(4), [2, 2])]])
    const drawn = (name: string): boolean => /^visual_net\.norm[012]\./.test(name) || !name.startsWith('visual_net.')
    expectSame(without(loaded, drawn), without(weights, drawn))
    for (const i of [0, 1, 2]) {
      expect(new Set(loaded.get(`visual_net.norm${i}.weight`)!.data)).toEqual(new Set([1]))
      expect(new Set(loaded.get(`visual_net.norm${i}.bias`)!.data)).toEqual(new Set([0]))
    }
    expect(loaded.get('decoder_net.conv_in.weight')!.data).not.toEqual(weights.get('decoder_net.conv_in.weight')!.data)
    expect(warnings.at(-1)).toMatch(/MViTv2 in torchvision's naming alone.*initial weights/)
  })

  it('takes VGGish, and draws the rest', async () => {
    const loaded = await load([...part('audio_net.'), ['embeddings.0.weight', tensor(new Float32Array(4), [2, 2])]])
    const drawn = (name: string): boolean => !name.startsWith('audio_net.')
    expectSame(without(loaded, drawn), without(weights, drawn))
    expect(warnings.at(-1)).toMatch(/VGGish alone/)
  })

  it('lets create take both, and draws the rest from its seed', async () => {
    const video = await writePth(pthZip(orderedDict(part('visual_net.').map(([name, value]) => [`backbone.${name}`, value] as const))))
    const audio = await writePth(pthLegacy(orderedDict(part('audio_net.'))))
    const made = []
    for (const pretrained of [[video, audio], []]) {
      await using model = await DiffSal.create(config, { seed: 7, pretrained })
      const saved = temporaryPath(`saved-${count++}.safetensors`)
      await model.save(saved)
      made.push(await readWeights(saved))
    }
    const [loaded, drawn] = made as [Weights, Weights]
    const isEncoder = (name: string): boolean => /^(visual|audio)_net\./.test(name)
    expectSame(
      without(loaded, (name) => !isEncoder(name)),
      without(weights, (name) => !isEncoder(name)),
    )
    expectSame(without(loaded, isEncoder), without(drawn, isEncoder))
    const twice = () => DiffSal.create(config, { pretrained: [audio, audio] })
    await expectDiffSalError(twice, 'ERR_DIFFSAL_INVALID_ARGUMENT', 'pretrained', 'one file an encoder')
    await expectDiffSalError(() => DiffSal.create(config, { pretrained: reference }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'pretrained', 'whole network')
    const deaf = () => DiffSal.create({ ...config, audio: false }, { pretrained: audio })
    await expectDiffSalError(deaf, 'ERR_DIFFSAL_CHECKPOINT', audio, 'not known', 'audio_net.features.0.weight')
  })

  it('names what it lacks', async () => {
    const items = part('visual_net.').map(([name, value]) => [`backbone.${name}`, value] as const)
    const path = await writePth(pthZip(orderedDict(items.filter(([name]) => name !== 'backbone.blocks.1.mlp.fc1.bias'))))
    setLogger(() => {})
    await expectDiffSalError(() => DiffSal.load(path, { config: untold }), 'ERR_DIFFSAL_CHECKPOINT', path, /1 missing: visual_net\.blocks\.1\.mlp\.fc1\.bias/)
    setLogger(undefined)
  })
})

/** The bits of a float16 with the value of a float32's bits, which it holds exactly. */
function halfBits(bits: number): number {
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15
  return bits === 0 ? 0 : ((bits >>> 16) & 0x8000) | (exponent << 10) | ((bits >>> 13) & 0x3ff)
}

/** Rows of a table that is linearly resized, ends by half a row as `interpolate` does. */
function linear(table: Float32Array, from: number, to: number): number[] {
  const width = table.length / from
  return Array.from({ length: to * width }, (_, i) => {
    const at = Math.max(0, ((Math.floor(i / width) + 0.5) * from) / to - 0.5)
    const low = Math.min(from - 1, Math.floor(at))
    const high = Math.min(from - 1, low + 1)
    const column = i % width
    return table[low * width + column]! * (1 - at + low) + table[high * width + column]! * (at - low)
  })
}
