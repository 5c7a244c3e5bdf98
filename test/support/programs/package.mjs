// The package as plain Node has it, and a small network with its inputs, for the programs beside this file.
export const { DiffSal, datasets, logMel, melSlices, schedule, setLogger } = await import(process.env.DIFFSAL_PACKAGE)

export const config = {
  size: [64, 96],
  videoEncoder: { embedDim: 32, depth: 4, downscaleAt: [1, 2, 3] },
  unetWidth: 32,
}

const tensor = (...shape) => {
  const data = new Float32Array(shape.reduce((a, b) => a * b))
  return { dtype: 'float32', shape, data: data.map((_, i) => Math.sin(i * i)) }
}

export const inputs = { frames: tensor(1, 3, 16, 64, 96), mel: tensor(1, 1, 9, 32, 48) }

export const noise = tensor(1, 1, 64, 96)

/** A model of that network. */
export const createModel = () => DiffSal.create(config, { seed: 1, threads: 1 })

/** A clip to train that network on. */
export const trainingSample = (index) => ({
  frames: { dtype: 'uint8', shape: [16, 64, 96, 3], data: new Uint8Array(16 * 64 * 96 * 3).map((_, i) => (i * (index + 7)) % 251) },
  audio: { samples: new Float32Array(16_000).map((_, i) => Math.sin(i * (index + 1))), sampleRate: 16_000 },
  target: { dtype: 'float32', shape: [1, 64, 96], data: new Float32Array(64 * 96).map((_, i) => (i % 97) / 97) },
  video: 'made up',
  frame: index,
})
