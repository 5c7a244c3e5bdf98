/** How a program that trains an encoder by itself names its tensors. */
export interface EncoderNaming {
  /** In words, for messages. */
  readonly title: string
  readonly part: 'video' | 'audio'
  /** Tensors that tell it from all others, with their number of dimensions. */
  readonly signs: Readonly<Record<string, number>>
  /** Names, and ours for them: the first that matches counts. `token` shapes a vector as the class token. */
  readonly rules: readonly (readonly [pattern: RegExp, ours: string, shape?: 'token'])[]
  /** Names of tensors that this network has no use for: classifiers. */
  readonly unused: readonly RegExp[]
  /** Beginnings of our names that such files lack, so that they are drawn. */
  readonly initial: readonly string[]
}

/** A classifier has one norm, at its end; the network has one at the end of each stage. */
const stageNorms = ['visual_net.norm0.', 'visual_net.norm1.', 'visual_net.norm2.']
/** What joins the other encoders' widths to the network's. */
const adapters = ['visual_net.adapt.']
const adapter = [/^adapt\.(.+)$/, 'visual_net.adapt.$1'] as const

export const encoderNamings: readonly EncoderNaming[] = [
  {
    title: "MViTv2 in mmaction's naming",
    part: 'video',
    signs: { 'backbone.patch_embed.projection.weight': 5, 'backbone.blocks.0.attn.qkv.weight': 2 },
    rules: [[/^backbone\.(.+)$/, 'visual_net.$1']],
    unused: [/^(cls_head|data_preprocessor)\./],
    initial: stageNorms,
  },
  {
    title: 'MViTv2 by itself',
    part: 'video',
    signs: { 'patch_embed.projection.weight': 5, 'blocks.0.attn.qkv.weight': 2 },
    rules: [[/^(cls_token|(?:patch_embed|blocks|norm\d)\..+)$/, 'visual_net.$1']],
    unused: [],
    initial: stageNorms,
  },
  {
    title: "MViTv2 in PySlowFast's naming",
    part: 'video',
    // Other transformers begin with the same names, and pool nothing.
    signs: { 'patch_embed.proj.weight': 5, 'blocks.0.attn.pool_q.weight': 5, 'blocks.0.attn.rel_pos_h': 2 },
    rules: [
      [/^patch_embed\.proj\.(.+)$/, 'visual_net.patch_embed.projection.$1'],
      [/^norm\.(.+)$/, 'visual_net.norm3.$1'],
      [/^(cls_token|blocks\..+)$/, 'visual_net.$1'],
    ],
    unused: [/^head\./],
    initial: stageNorms,
  },
  {
    title: "MViTv2 in torchvision's naming",
    part: 'video',
    signs: { 'conv_proj.weight': 5, 'blocks.0.attn.pool_q.pool.weight': 5, 'blocks.0.attn.rel_pos_h': 2 },
    rules: [
      [/^conv_proj\.(.+)$/, 'visual_net.patch_embed.projection.$1'],
      [/^pos_encoding\.class_token$/, 'visual_net.cls_token', 'token'],
      [/^(blocks\.\d+)\.attn\.project\.0\.(.+)$/, 'visual_net.$1.attn.proj.$2'],
      [/^(blocks\.\d+)\.attn\.pool_([qkv])\.pool\.(.+)$/, 'visual_net.$1.attn.pool_$2.$3'],
      [/^(blocks\.\d+)\.attn\.pool_([qkv])\.norm_act\.0\.(.+)$/, 'visual_net.$1.attn.norm_$2.$3'],
      [/^(blocks\.\d+)\.mlp\.0\.(.+)$/, 'visual_net.$1.mlp.fc1.$2'],
      [/^(blocks\.\d+)\.mlp\.3\.(.+)$/, 'visual_net.$1.mlp.fc2.$2'],
      [/^(blocks\.\d+)\.project\.(.+)$/, 'visual_net.$1.proj.$2'],
      [/^(blocks\.\d+\.(?:norm[12]|attn\.qkv)\..+|blocks\.\d+\.attn\.rel_pos_[thw])$/, 'visual_net.$1'],
      [/^norm\.(.+)$/, 'visual_net.norm3.$1'],
    ],
    unused: [/^head\./],
    initial: stageNorms,
  },
  {
    title: 'VGGish',
    part: 'audio',
    signs: { 'features.0.weight': 4, 'features.3.weight': 4 },
    rules: [[/^(features\.\d+\..+)$/, 'audio_net.$1']],
    unused: [/^(embeddings|pproc)\./],
    initial: [],
  },
  {
    title: "Video Swin in torchvision's naming",
    part: 'video',
    signs: { 'patch_embed.proj.weight': 5, 'features.0.0.attn.relative_position_bias_table': 2 },
    rules: [[/^((?:features|patch_embed)\..+)$/, 'visual_net.net.$1'], adapter],
    unused: [/^(norm|head)\./],
    initial: adapters,
  },
  {
    title: "S3D in torchvision's naming",
    part: 'video',
    signs: { 'features.0.0.0.weight': 5, 'features.2.0.weight': 5 },
    rules: [[/^(features\..+)$/, 'visual_net.net.$1'], adapter],
    unused: [/^classifier\./],
    initial: adapters,
  },
  {
    title: 'a 3D ResNet',
    part: 'video',
    signs: { 'conv1.weight': 5, 'layer1.0.conv3.weight': 5, 'layer4.0.conv3.weight': 5 },
    rules: [[/^((?:conv1|bn1|layer[1-4])\..+)$/, 'visual_net.net.$1'], adapter],
    unused: [/^fc\./],
    initial: adapters,
  },
]
