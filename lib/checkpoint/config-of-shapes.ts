import type { AudioEncoderConfig, DiffSalConfig, PartialDiffSalConfig, VideoEncoderConfig } from '../config.ts'

type Tensors = ReadonlyMap<string, { readonly shape: readonly number[] }>

/** Of pre-training on DHF1K, which the published weights for video alone are of: pixels from 0 to 1, ImageNet's mean and deviation. */
const imageNet: DiffSalConfig['normalisation'] = { scale: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }

/**
 * What the names and shapes of a network's tensors tell of its configuration. They do not tell the size of frames and maps, the
 * number of frames of a network without sound, the heads of its attention, whether sound is multiplied or added, or the groups of
 * normalisations: those keep their defaults, the paper's.
 */
export function configOfShapes(tensors: Tensors): PartialDiffSalConfig {
  const shape = (name: string): readonly number[] | undefined => tensors.get(name)?.shape
  const has = (prefix: string): boolean => [...tensors.keys()].some((name) => name.startsWith(prefix))
  const decoder = 'decoder_net.invpt_decoder'
  const block = `${decoder}.mid_stages.0.blocks.0`

  const dialect = has('decoder_net.res_in.') ? 'paper' : 'released'
  const video = has('visual_net.')
  const audio = has('audio_net.') || has('spatiotemp_net.')
  const slots = shape('spatiotemp_net.pos_embedding')?.[2]
  const unetWidth = shape('decoder_net.conv_in.weight')?.[0]
  const kernels = [0, 1, 2, 3].map((i) => shape(`${decoder}.mid_stages.${i}.blocks.0.attn.conv_proj_k.conv.weight`)?.[3])
  const coarsest = shape(`${decoder}.norm_mts.0.weight`)?.[0]
  const name = encoderNameOf(tensors)
  const widths = mvitOf(tensors) ?? (coarsest === undefined ? undefined : { embedDim: coarsest / 8 })
  const videoEncoder = name === undefined && widths === undefined ? undefined : { ...(name && { name }), ...widths }
  const stages = [0, 1, 2, 3].filter((i) => shape(`${decoder}.norm_mts.${i}.weight`) !== undefined).length
  const audioEncoder = audioEncoderOf(tensors)
  return {
    dialect,
    video,
    audio,
    ...(slots !== undefined && { clipLength: 2 * (slots - 1) }),
    ...(unetWidth !== undefined && { unetWidth }),
    attention: has(`${block}.attn.conv_proj_q.`) ? 'eca' : has(`${block}.attn.`) ? 'sca' : 'none',
    interaction: interactionOf((name) => has(`${block}.interaction.${name}.`)),
    ...(stages > 0 && { mamStages: stages }),
    ...(kernels.every((kernel) => kernel !== undefined) && { kvKernel: kernels }),
    ...(dialect === 'released' && !audio && { normalisation: imageNet }),
    ...(videoEncoder && { videoEncoder }),
    ...(audioEncoder && { audioEncoder }),
  }
}

function interactionOf(has: (name: string) => boolean): DiffSalConfig['interaction'] {
  if (has('fuse')) return 'concatenation'
  if (has('fuse_out')) return 'residual'
  return has('fuse_x') ? 'bilinear' : 'mim'
}

/** Which video encoder the names are of: each has one that the others lack. */
function encoderNameOf(tensors: Tensors): VideoEncoderConfig['name'] | undefined {
  if (tensors.has('visual_net.patch_embed.projection.weight')) return 'mvitv2_s'
  if (tensors.has('visual_net.net.layer1.0.conv3.weight')) return 'resnet3d_50'
  if (tensors.has('visual_net.net.patch_embed.proj.weight')) return 'swin3d_t'
  return tensors.has('visual_net.net.features.0.0.0.weight') ? 's3d' : undefined
}

/** MViTv2's widths and depth, and the clip it was pre-trained on, which the lengths of its tables of relative positions tell. */
function mvitOf(tensors: Tensors): Partial<VideoEncoderConfig> | undefined {
  const shape = (name: string): readonly number[] | undefined => tensors.get(`visual_net.${name}`)?.shape
  const embedDim = shape('patch_embed.projection.weight')?.[0]
  if (embedDim === undefined) return undefined
  let depth = 0
  const downscaleAt: number[] = []
  for (; shape(`blocks.${depth}.norm1.weight`) !== undefined; depth++) if (shape(`blocks.${depth}.proj.weight`) !== undefined) downscaleAt.push(depth)
  const headWidth = shape('blocks.0.attn.pool_q.weight')?.[0]
  const hidden = shape('blocks.0.mlp.fc1.weight')?.[0]
  const side = shape('blocks.0.attn.rel_pos_h')?.[0]
  const time = shape('blocks.0.attn.rel_pos_t')?.[0]
  return {
    embedDim,
    depth,
    downscaleAt,
    ...(headWidth !== undefined && { heads: embedDim / headWidth }),
    ...(hidden !== undefined && { mlpRatio: hidden / embedDim }),
    // A table has 2 n - 1 rows for a grid of n patches; a patch is 2 frames of 4 × 4 pixels.
    ...(side !== undefined && time !== undefined && { pretrainSize: [time + 1, 2 * (side + 1), 2 * (side + 1)] as const }),
  }
}

/** VGGish's widths: its names count a convolution with its ReLU as two layers and a pooling as one. */
function audioEncoderOf(tensors: Tensors): Partial<AudioEncoderConfig> | undefined {
  const pattern = /^audio_net\.features\.(\d+)\.weight$/
  const layers = [...tensors]
    .flatMap(([name, { shape }]) => (pattern.test(name) ? [{ index: Number(pattern.exec(name)![1]), width: shape[0] ?? 0 }] : []))
    .sort((a, b) => a.index - b.index)
  if (layers.length === 0) return undefined
  const widths: number[][] = []
  layers.forEach(({ index, width }, i) => {
    if (i === 0 || index - layers[i - 1]!.index > 2) widths.push([])
    widths.at(-1)!.push(width)
  })
  const projected = tensors.get('spatiotemp_net.transformer.layers.0.0.to_qkv.weight')?.shape[0]
  const hidden = tensors.get('spatiotemp_net.transformer.layers.0.1.net.1.weight')?.shape[0]
  return {
    widths,
    // Queries, keys and values of two heads.
    ...(projected !== undefined && { headDim: projected / 6 }),
    ...(hidden !== undefined && { hidden }),
  }
}
