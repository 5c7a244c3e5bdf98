// The package as plain Node has it, and a small network with its inputs, for the programs beside this file.
export const { DiffSal, datasets, logMel, setLogger } = await import(process.env.DIFFSAL_PACKAGE)

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
