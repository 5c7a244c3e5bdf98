import { join } from 'node:path'
import { resolveConfig, type DiffSalConfig, type PartialDiffSalConfig } from './config.ts'
import { packageRoot } from './files/package-root.ts'

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
   * The paper's network with narrower parts, 5.6 M parameters on clips of 8 frames of 160×288, trained on where people looked in photographs and
   * videos: what `DiffSal.load()` takes. `lib/presets/gaze.md` is its model card.
   */
  readonly gaze: Preset
  /**
   * A smaller one, 3.6 M parameters on frames of 64×96, trained on sounding scenes alone (`datasets.soundingScenes`): it shows what the
   * network does with sound, in an instant. On a real video its maps mean nothing. `lib/presets/scenes.md` is its model card.
   */
  readonly scenes: Preset
}

function preset(name: keyof Presets, config: PartialDiffSalConfig): Preset {
  return {
    config: resolveConfig(config),
    get weights() {
      return join(packageRoot(), `lib/presets/${name}.safetensors`)
    },
  }
}

/** The networks whose weights ship with the package. */
export const presets: Presets = {
  gaze: preset('gaze', {
    size: [160, 288],
    clipLength: 8,
    videoEncoder: { name: 's3d', width: 0.4, embedDim: 32 },
    audioEncoder: { widths: [[16], [32], [48], [64]], heads: 2, headDim: 16, hidden: 64 },
    unetWidth: 32,
    normGroups: 8,
    dropout: 0,
    steps: 1,
    gazeDelay: 0.1,
  }),
  scenes: preset('scenes', {
    size: [64, 96],
    videoEncoder: { embedDim: 24, depth: 6, downscaleAt: [1, 2, 4] },
    audioEncoder: { widths: [[16], [32], [48], [64]], heads: 2, headDim: 16, hidden: 64 },
    unetWidth: 24,
    normGroups: 8,
    dropout: 0,
  }),
}

/** The names of the presets; the first is the default. */
export const presetNames = Object.keys(presets) as [keyof Presets, ...(keyof Presets)[]]
