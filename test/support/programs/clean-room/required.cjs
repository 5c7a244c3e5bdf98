// program.ts in CommonJS.
const { datasets, DiffSal, presets } = require('diffsal')

async function main() {
  const { size, clipLength } = presets.gaze.config
  const { frames, audio } = await datasets.soundingScenes({ split: 'test', size, clipLength, length: 1 }).get(0)
  const model = await DiffSal.load(undefined, { device: 'cpu', threads: 1 })
  const { shape, data } = await model.predict({ frames, audio }, { steps: 2, seed: 1 })
  await model.dispose()
  console.log(JSON.stringify({ shape, data: Array.from(data) }))
}

main()
