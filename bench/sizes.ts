import type { PartialDiffSalConfig } from '../lib/index.ts'

/** The networks that the benches know: the paper's, and one of a fiftieth for trying the benches out. */
export const sizes = {
  paper: { size: [224, 384] },
  tiny: { size: [64, 96], videoEncoder: { embedDim: 32, depth: 4, downscaleAt: [1, 2, 3] }, unetWidth: 32 },
} as const satisfies Record<string, PartialDiffSalConfig>

export type Size = keyof typeof sizes

/** The reference program's configuration of the same network, as Python. */
export const referenceConfig: Record<Size, string> = {
  paper: 'dict()',
  tiny: 'dict(size=(64, 96), mvit=R.MViTConfig(embed_dim=32, depth=4, downscale_at=(1, 2, 3)), channels=(256, 128, 64, 32), unet_width=32)',
}

/** Multiply-accumulates of a clip, in billions; of a network that nobody counted undefined. */
export function multiplications(size: Size, dialect: 'paper' | 'released', steps: number): number | undefined {
  return size === 'paper' ? 154 + steps * (dialect === 'paper' ? 83 : 76) : undefined
}
