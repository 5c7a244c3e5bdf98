import type { PartialDiffSalConfig } from '../../lib/index.ts'

/** The smallest network that has every part of the whole one, for tests that are not about its numbers. */
export const tinyConfig: PartialDiffSalConfig = {
  size: [64, 96],
  videoEncoder: { embedDim: 32, depth: 4, downscaleAt: [1, 2, 3] },
  unetWidth: 32,
}

/** As {@link tinyConfig}, with a thirtieth of its weights: 1.4 MB. */
export const lightConfig: PartialDiffSalConfig = {
  size: [64, 96],
  videoEncoder: { embedDim: 8, depth: 4, downscaleAt: [1, 2, 3] },
  audioEncoder: { widths: [[8], [8], [8], [8]] },
  unetWidth: 8,
  normGroups: 4,
}
