import { describe, expect, it } from 'vitest'
import { recognise } from '../../lib/checkpoint/names.ts'
import { resolveConfig, type PartialDiffSalConfig } from '../../lib/config.ts'
import { DiffSal } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { readNames } from '../support/names.ts'
import { tinyConfig } from '../support/tiny-config.ts'

type Tensors = Map<string, { shape: readonly number[] }>

/** The names and shapes of a network's tensors. */
async function tensorsOf(config: PartialDiffSalConfig): Promise<Tensors> {
  await using model = await DiffSal.create(config, { seed: 0 })
  return new Map(model.parameters().map(({ name, shape }) => [name, { shape }]))
}

const renamed = (tensors: Tensors, change: (name: string) => string): Tensors => new Map([...tensors].map(([name, tensor]) => [change(name), tensor]))
const only = (tensors: Tensors, prefix: string): Tensors => new Map([...tensors].filter(([name]) => name.startsWith(prefix)))
const names = (tensors: ReadonlyMap<string, unknown>): string[] => [...tensors.keys()].sort()

describe('recognise, of a network', () => {
  // What shapes tell, in a network where no width is the paper's.
  const unusual: PartialDiffSalConfig = {
    clipLength: 32,
    videoEncoder: { embedDim: 64, depth: 6, heads: 2, downscaleAt: [1, 2, 4], pretrainSize: [32, 128, 128], mlpRatio: 2 },
    audioEncoder: { widths: [[8], [16, 16], [16], [32, 32, 64]], headDim: 24, hidden: 40 },
    unetWidth: 64,
    kvKernel: [1, 2, 3, 4],
  }

  it.each<[string, PartialDiffSalConfig]>([
    ['the paper', {}],
    ['other widths', unusual],
    ['video only', { ...tinyConfig, audio: false }],
    ['audio only', { ...tinyConfig, video: false }],
    ['standard cross-attention', { ...tinyConfig, attention: 'sca' }],
    ['no attention', { ...tinyConfig, attention: 'none' }],
    ['concatenation', { ...tinyConfig, interaction: 'concatenation' }],
    ['bilinear', { ...tinyConfig, interaction: 'bilinear' }],
    ['residual', { ...tinyConfig, interaction: 'residual' }],
    ['the released dialect', { ...tinyConfig, dialect: 'released' }],
    ['two MAM stages', { ...tinyConfig, mamStages: 2 }],
    ['S3D', { videoEncoder: { name: 's3d' } }],
    ['Video Swin-T', { videoEncoder: { name: 'swin3d_t' } }],
    ['a 3D ResNet-50', { videoEncoder: { name: 'resnet3d_50' } }],
  ])('tells the configuration of %s', async (_, config) => {
    const tensors = await tensorsOf(config)
    const found = recognise('x.pth', tensors)
    expect(found).toMatchObject({ part: 'network', config: { mamStages: config.mamStages ?? 4 }, unused: [], tensors })
    expect(found.config.videoEncoder?.name).toBe(config.video === false ? undefined : (config.videoEncoder?.name ?? 'mvitv2_s'))
    // Without a video encoder nothing tells its depth, and the network has none of it.
    const depth = config.video === false ? { depth: 4, downscaleAt: [1, 2, 3] } : {}
    const { size } = resolveConfig(config)
    const told = { ...found.config, size, videoEncoder: { ...found.config.videoEncoder, ...depth } }
    expect(resolveConfig(told)).toEqual(resolveConfig(config))
  })

  it('takes the released weights for video alone for those of pixels from 0 to 1', async () => {
    const { config } = recognise('x.pth', await tensorsOf({ ...tinyConfig, dialect: 'released', audio: false }))
    expect(config).toMatchObject({ dialect: 'released', normalisation: { scale: 1, mean: [0.485, 0.456, 0.406] } })
  })

  it('strips module. and drops what nothing reads', async () => {
    const tensors = await tensorsOf(tinyConfig)
    const given = renamed(tensors, (name) => `module.${name}`)
    const extra = ['fc.weight', 'audio_net.embeddings.0.weight', 'decoder_net.invpt_decoder.mt_proj.1.num_batches_tracked'].map((name) => `module.${name}`)
    for (const name of extra) given.set(name, { shape: [] })
    const found = recognise('x.pth', given)
    expect(found.tensors).toEqual(tensors)
    expect(found.unused).toEqual(extra.map((name) => name.slice('module.'.length)))
  })

  it('keeps what it does not know, for loading to name', async () => {
    const tensors = await tensorsOf(tinyConfig)
    tensors.set('decoder_net.more.weight', { shape: [1] })
    tensors.set('visual_net.fc.weight', { shape: [1] })
    expect(recognise('x.pth', tensors)).toMatchObject({ unused: [], tensors })
  })

  it('refuses two tensors of one name', async () => {
    const tensors = await tensorsOf(tinyConfig)
    tensors.set('module.decoder_net.conv_in.bias', { shape: [32] })
    await expectDiffSalError(() => recognise('x.pth', tensors), 'ERR_DIFFSAL_CHECKPOINT', 'x.pth', "'decoder_net.conv_in.bias'", 'two')
  })
})

describe('recognise, of an encoder by itself', () => {
  const stageNorms = ['visual_net.norm0.', 'visual_net.norm1.', 'visual_net.norm2.']

  it("gives torchvision's MViTv2-S the names and shapes of the paper's", async () => {
    const found = recognise('x.pth', readNames('torchvision-mvit_v2_s'))
    expect(found).toMatchObject({
      part: 'video',
      config: { videoEncoder: { name: 'mvitv2_s' } },
      prefix: 'visual_net.',
      initial: stageNorms,
      unused: ['head.1.weight', 'head.1.bias'],
    })
    const wanted = only(await tensorsOf({}), 'visual_net.')
    for (const name of [...wanted.keys()].filter((each) => stageNorms.some((prefix) => each.startsWith(prefix)))) wanted.delete(name)
    expect(names(found.tensors)).toEqual(names(wanted))
    expect(new Map([...found.tensors].sort())).toEqual(new Map([...wanted].sort()))
    expect(resolveConfig(found.config)).toEqual(resolveConfig({}))
  })

  it("takes mmaction's, with its classifier, and tells the clip it was trained on", async () => {
    const encoder = only(await tensorsOf({ ...tinyConfig, videoEncoder: { ...tinyConfig.videoEncoder, pretrainSize: [32, 256, 256] } }), 'visual_net.')
    const given = renamed(encoder, (name) => name.replace('visual_net.', 'backbone.'))
    given.set('cls_head.fc_cls.weight', { shape: [400, 768] })
    const found = recognise('x.pth', given)
    expect(found).toMatchObject({
      part: 'video',
      config: { videoEncoder: { name: 'mvitv2_s' } },
      initial: stageNorms,
      tensors: encoder,
      unused: ['cls_head.fc_cls.weight'],
    })
    expect(found.config.videoEncoder).toMatchObject({ embedDim: 32, depth: 4, pretrainSize: [32, 256, 256] })
  })

  it.each(['visual_net.', ''])("takes a network's with the prefix '%s'", async (prefix) => {
    const encoder = only(await tensorsOf(tinyConfig), 'visual_net.')
    expect(
      recognise(
        'x.pth',
        renamed(encoder, (name) => name.replace('visual_net.', prefix)),
      ),
    ).toMatchObject({ part: 'video', tensors: encoder })
  })

  it.each(['audio_net.', ''])("takes VGGish with the prefix '%s', without its embeddings", async (prefix) => {
    const encoder = only(await tensorsOf({}), 'audio_net.')
    const given = renamed(encoder, (name) => name.replace('audio_net.', prefix))
    const extra = ['embeddings.0.weight', 'embeddings.4.bias', 'pproc.pca_means']
    for (const name of extra) given.set(name, { shape: [1] })
    const found = recognise('x.pth', given)
    expect(found).toMatchObject({ part: 'audio', prefix: 'audio_net.', initial: [], tensors: encoder, unused: extra })
    expect(found.config.videoEncoder).toBeUndefined()
    expect(resolveConfig(found.config)).toEqual(resolveConfig({}))
  })

  it.each([
    ['s3d', ['classifier.1.weight', 'classifier.1.bias']],
    ['swin3d_t', ['norm.weight', 'norm.bias', 'head.weight']],
    ['resnet3d_50', ['fc.weight', 'fc.bias']],
  ])('takes %s with its adapters, and as its classifier without them', (kind, classifier) => {
    const given = readNames(`encoder-${kind}`)
    const skipped = [...given.keys()].filter((name) => /num_batches_tracked|relative_position_index/.test(name))
    const wanted = [...given.keys()].filter((name) => !skipped.includes(name)).map((name) => `visual_net.${name}`)
    const common = { part: 'video', config: { videoEncoder: { name: kind } }, prefix: 'visual_net.', initial: ['visual_net.adapt.'] }
    const adapted = recognise('x.pth', given)
    expect(adapted).toMatchObject(common)
    expect([...adapted.tensors.keys()]).toEqual(wanted)
    expect(adapted.unused).toHaveLength(skipped.length)

    const alone = new Map([...given].filter(([name]) => name.startsWith('net.')).map(([name, tensor]) => [name.slice('net.'.length), tensor]))
    for (const name of classifier) alone.set(name, { shape: [1] })
    const found = recognise(
      'x.pth',
      renamed(alone, (name) => `module.${name}`),
    )
    expect(found).toMatchObject(common)
    expect([...found.tensors.keys()]).toEqual(wanted.filter((name) => !name.startsWith('visual_net.adapt.')))
    expect(found.unused).toEqual(expect.arrayContaining(classifier))
  })

  it('names a tensor that is no part of it', async () => {
    const given = readNames('torchvision-mvit_v2_s')
    given.set('blocks.0.attn.lora.weight', { shape: [1] })
    await expectDiffSalError(() => recognise('x.pth', given), 'ERR_DIFFSAL_CHECKPOINT', "'blocks.0.attn.lora.weight'", "torchvision's")
  })

  it('refuses names of something else, showing some of them', async () => {
    const given = new Map(Array.from({ length: 100 }, (_, i) => [`bert.layer.${i}.weight`, { shape: [1] }]))
    const error = await expectDiffSalError(() => recognise('x.pth', given), 'ERR_DIFFSAL_CHECKPOINT', 'x.pth', "'bert.layer.0.weight'", '96 more', 'mmaction')
    expect(error.message.length).toBeLessThan(800)
  })
})
