import { join } from 'node:path'
import { resolveConfig, type DiffSalConfig } from './config.ts'
import { packageRoot } from './package-root.ts'

/** A configuration with a name, and the weights that the package ships for it. */
export interface Preset {
  /** The complete configuration. */
  readonly config: Readonly<DiffSalConfig>
  /** The file of its weights. */
  readonly weights: string
}

/** The presets by their names. */
export interface Presets {
  /**
   * The paper's network with narrower parts, 3.6 M parameters on frames of 64×96, trained on sounding scenes alone
   * (`datasets.soundingScenes`): it shows what the network does with sound, in an instant. It is no substitute for weights trained on
   * eye tracking; `lib/presets/scenes.md` is its model card.
   */
  readonly scenes: Preset
}

/** The networks whose weights ship with the package. */
export const presets: Presets = {
  scenes: {
    config: resolveConfig({
      size: [64, 96],
      videoEncoder: { embedDim: 24, depth: 6, downscaleAt: [1, 2, 4] },
      audioEncoder: { widths: [[16], [32], [48], [64]], heads: 2, headDim: 16, hidden: 64 },
      unetWidth: 24,
      normGroups: 8,
      dropout: 0,
    }),
    get weights() {
      return join(packageRoot(), 'lib/presets/scenes.safetensors')
    },
  },
}
