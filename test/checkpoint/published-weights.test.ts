import { describe, expect, it } from 'vitest'
import { publishedWeights } from '../../lib/checkpoint/published-weights.ts'
import { readHeader } from '../../lib/checkpoint/safetensors.ts'
import { DiffSal, setLogger, type PartialDiffSalConfig } from '../../lib/index.ts'
import { inProcessCli } from '../support/in-process-cli.ts'
import { readNames } from '../support/names.ts'
import { orderedDict, type PyCall, PyFloat, tuple } from '../support/pickle-writer.ts'
import { pthLegacy, pthZip, type PyTensor, tensor } from '../support/pth-writer.ts'
import { temporaryPath } from '../support/temporary.ts'
import { testValue } from '../support/test-values.ts'
import { torchvisionName } from '../support/torchvision-names.ts'
import { writePth } from '../support/write-pth.ts'

// Files laid out as the programs that wrote the published ones lay them out: what is around the weights, the names' prefixes, the
// classifiers and counters beside them. MViTv2 and VGGish have their real depths and narrower layers, the other encoders their sizes.

/** A tensor of a laid-out file: its name here, and its name in the network or, of what nothing reads, null. */
interface Placed {
  readonly name: string
  readonly ours: string | null
  readonly shape: readonly number[]
}

const width = 32
const mvit = { embedDim: width, depth: 16, downscaleAt: [1, 3, 14] }
const narrow: PartialDiffSalConfig = {
  videoEncoder: mvit,
  audioEncoder: { widths: [[4], [4], [8, 8], [8, 8]] },
  unetWidth: 32,
}

/** The names and shapes of a network's tensors, or of those under `prefix`, which is cut off. */
async function placed(config: PartialDiffSalConfig, prefix = ''): Promise<Placed[]> {
  await using model = await DiffSal.create(config, { seed: 0, device: 'cpu' })
  const own = model.parameters().filter(({ name }) => name.startsWith(prefix))
  return own.map(({ name, shape }) => ({ name: name.slice(prefix.length), ours: name, shape }))
}

const unread = (name: string, ...shape: number[]): Placed => ({ name, ours: null, shape })
const renamed = (given: readonly Placed[], change: (name: string) => string): Placed[] => given.map((one) => ({ ...one, name: change(one.name) }))

/** Beside each running variance, as PyTorch counts. */
const withCounters = (given: readonly Placed[]): Placed[] =>
  given.flatMap((one) => (one.name.endsWith('running_var') ? [one, unread(one.name.replace('running_var', 'num_batches_tracked'))] : [one]))

const size = (shape: readonly number[]): number => shape.reduce((product, each) => product * each, 1)

/** What a tensor that the network reads holds: torchvision's class token is a vector, ours is not. */
const valueIn = (ours: string, shape: readonly number[]): Float32Array => testValue(ours, ours.endsWith('cls_token') ? [1, 1, size(shape)] : shape)

function placedValue({ name, ours, shape }: Placed): PyTensor {
  if (name.endsWith('num_batches_tracked')) return tensor(BigInt64Array.of(7n), [])
  return tensor(ours === null ? new Float32Array(size(shape)) : valueIn(ours, shape), shape)
}

function stateDict(given: readonly Placed[]): PyCall {
  const items = given.map((one) => [one.name, placedValue(one)] as const)
  return orderedDict(items, new Map([['_metadata', orderedDict()]]))
}

const dict = (items: Record<string, unknown>): Map<string, unknown> => new Map(Object.entries(items))

/** Adam's state, as `optimizer.state_dict()` gives it. */
const adam = dict({
  state: new Map([[0, dict({ step: tensor(Float32Array.of(3), []), exp_avg: tensor(new Float32Array(4), [4]) })]]),
  param_groups: [dict({ lr: new PyFloat(1e-4), betas: tuple(new PyFloat(0.9), new PyFloat(0.999)), amsgrad: false, params: [0] })],
})

/** What the training program of the authors saves, of a model in DistributedDataParallel. */
const authors = (given: readonly Placed[]): Map<string, unknown> =>
  dict({ state_dict: stateDict(renamed(withCounters(given), (name) => `module.${name}`)), optim_dict: adam, epoch: 3, step: 1200 })

const isStageNorm = ({ name }: Placed): boolean => /^norm[012]\./.test(name)

/** MViTv2 as a classifier, which has no norms at the ends of its first stages. */
const classifier = async (): Promise<Placed[]> => (await placed({ ...narrow, audio: false }, 'visual_net.')).filter((one) => !isStageNorm(one))

/** An encoder of a fixed size, without the adapters that this network puts on it. */
function fixed(kind: string): Placed[] {
  return [...readNames(`encoder-${kind}`)]
    .filter(([name]) => name.startsWith('net.'))
    .map(([name, { shape }]) => {
      const ours = /num_batches_tracked|relative_position_index/.test(name) ? null : `visual_net.${name}`
      return { name: name.slice('net.'.length), ours, shape }
    })
}

/** A layer that this network lacks: its weight, of the shape given, and its bias. */
const layer = (name: string, out: number, ...rest: number[]): Placed[] => [unread(`${name}.weight`, out, ...rest), unread(`${name}.bias`, out)]

const beside = {
  fc: [...layer('fc.0', 512, 128), ...layer('fc.2', 768, 512)],
  embeddings: [0, 2, 4].flatMap((i) => layer(`embeddings.${i}`, 6, 6)),
}

/** A file by its entry in the table: its tensors, the whole file of them, and what `create` needs to be told. */
interface Layout {
  readonly tensors: () => Promise<Placed[]>
  readonly file: (tensors: readonly Placed[]) => Buffer
  readonly config?: PartialDiffSalConfig
}

const plain = (tensors: readonly Placed[]): Buffer => pthZip(stateDict(tensors))

const networks: Readonly<Record<string, Layout>> = {
  'diffsal-av': {
    tensors: async () => [...(await placed({ ...narrow, dialect: 'released' })), ...beside.fc, ...renamed(beside.embeddings, (name) => `audio_net.${name}`)],
    file: (tensors) => pthZip(authors(tensors)),
  },
  'diffsal-video': {
    // Its layers for sound are there at their size, though nothing reaches them.
    tensors: () => placed({ videoEncoder: mvit, unetWidth: 32, dialect: 'released', audio: false }),
    file: (tensors) => pthZip(authors(tensors)),
  },
}

const encoders: Readonly<Record<string, Layout>> = {
  'mvitv2-mmaction': {
    tensors: async () => [...renamed(await classifier(), (name) => `backbone.${name}`), ...layer('cls_head.fc_cls', 400, 8 * width)],
    file: (tensors) => pthZip(dict({ meta: new Map(), state_dict: stateDict(tensors) })),
    config: narrow,
  },
  'mvitv2-pyslowfast': {
    tensors: async () => [
      ...renamed(await classifier(), (name) => name.replace('patch_embed.projection.', 'patch_embed.proj.').replace(/^norm3\./, 'norm.')),
      ...layer('head.projection', 400, 8 * width),
    ],
    file: (tensors) => pthZip(dict({ epoch: 199, model_state: stateDict(tensors), optimizer_state: adam, cfg: 'AUG:\n  ENABLE: true\n' })),
    config: narrow,
  },
  'mvitv2-torchvision': {
    tensors: async () => [
      ...renamed(await classifier(), torchvisionName).map((one) => (one.name.endsWith('class_token') ? { ...one, shape: [width] } : one)),
      ...layer('head.1', 400, 8 * width),
    ],
    file: plain,
    config: narrow,
  },
  vggish: {
    tensors: async () => [...(await placed({ ...narrow, video: false }, 'audio_net.')), ...beside.embeddings],
    // Of a time when PyTorch wrote no zips.
    file: (tensors) => pthLegacy(stateDict(tensors)),
    config: narrow,
  },
  s3d: {
    tensors: () => Promise.resolve([...fixed('s3d'), ...layer('classifier.1', 400, 1024, 1, 1, 1)]),
    file: plain,
  },
  swin3d_t: {
    tensors: () => Promise.resolve([...fixed('swin3d_t'), ...layer('norm', 768), ...layer('head', 400, 768)]),
    file: plain,
  },
  resnet3d_50: {
    tensors: () => Promise.resolve(renamed([...fixed('resnet3d_50'), ...layer('fc', 700, 2048)], (name) => `module.${name}`)),
    file: (tensors) => pthZip(dict({ epoch: 200, arch: 'resnet-50', state_dict: stateDict(tensors), optimizer: adam })),
  },
}

/** Holds the network's tensors that the file has to the values they were written with. */
async function expectValues(path: string, tensors: readonly Placed[]): Promise<void> {
  await using model = await DiffSal.load(path, { device: 'cpu' })
  const read = tensors.filter(({ ours }) => ours !== null)
  for (const { ours, shape } of read) {
    const { data } = await model.parameter(ours!)
    const wanted = valueIn(ours!, shape)
    expect(Buffer.compare(Buffer.from(data.buffer, data.byteOffset, data.byteLength), Buffer.from(wanted.buffer)), ours!).toBe(0)
  }
}

const unusedOf = (tensors: readonly Placed[]): string[] => tensors.flatMap(({ name, ours }) => (ours === null ? [name] : []))
const withoutModule = (name: string): string => name.replace(/^module\./, '')

it('has a layout for each of the published weights', () => {
  expect([...Object.keys(networks), ...Object.keys(encoders)].sort()).toEqual(publishedWeights.map(({ id }) => id).sort())
})

describe.each(Object.entries(networks))('a file laid out like %s', (_, { tensors: list, file }) => {
  it('is converted, and told what it leaves', async () => {
    const tensors = await list()
    const path = await writePth(file(tensors))
    const output = temporaryPath('network.safetensors')
    expect(await inProcessCli(['convert', path, output])).toMatchObject({ code: 0, stderr: '' })
    await expectValues(output, tensors)
    expect((await readHeader(output)).tensors.size).toBe(tensors.filter(({ ours }) => ours !== null).length)

    const { stdout } = await inProcessCli(['inspect', path, '--json'])
    const { config, unused } = JSON.parse(stdout) as { config: { dialect: string; normalisation: { scale: number } }; unused: string[] }
    expect(unused.sort()).toEqual(unusedOf(withCounters(tensors)).sort())
    expect(config.dialect).toBe('released')
    // Of DHF1K's pre-training, and of what the audio-visual sets are read with.
    expect(config.normalisation.scale).toBe(tensors.some(({ name }) => name.startsWith('audio_net.')) ? 255 : 1)
  })
})

describe.each(Object.entries(encoders))('a file laid out like %s', (_, { tensors: list, file, config = {} }) => {
  it('is taken by create, and convert says so', async () => {
    const tensors = await list()
    const path = await writePth(file(tensors))
    const saved = temporaryPath('encoder.safetensors')
    await using model = await DiffSal.create({ size: [64, 96], ...config }, { seed: 1, device: 'cpu', pretrained: path })
    await model.save(saved)
    await expectValues(saved, tensors)

    setLogger(() => {})
    const refused = await inProcessCli(['convert', path, temporaryPath('never.safetensors')])
    expect(refused).toMatchObject({ code: 4, stdout: '' })
    expect(refused.stderr).toContain("Name it under 'pretrained'")
    const { stdout } = await inProcessCli(['inspect', path, '--json'])
    setLogger(undefined)
    const { unused } = JSON.parse(stdout) as { unused: string[] }
    expect(unused.sort()).toEqual(unusedOf(tensors).map(withoutModule).sort())
  })
})
