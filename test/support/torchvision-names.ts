/** A tensor of MViTv2 as torchvision's program names it, by its name in the paper's. */
export function torchvisionName(name: string): string {
  return name
    .replace('patch_embed.projection.', 'conv_proj.')
    .replace(/^cls_token$/, 'pos_encoding.class_token')
    .replace('attn.proj.', 'attn.project.0.')
    .replace(/attn\.pool_([qkv])\./, 'attn.pool_$1.pool.')
    .replace(/attn\.norm_([qkv])\./, 'attn.pool_$1.norm_act.0.')
    .replace('mlp.fc1.', 'mlp.0.')
    .replace('mlp.fc2.', 'mlp.3.')
    .replace(/^(blocks\.\d+)\.proj\./, '$1.project.')
    .replace(/^norm3\./, 'norm.')
}
