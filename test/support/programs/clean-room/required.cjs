// program.ts in CommonJS.
const { datasets, DiffSal } = require('diffsal')

async function main() {
  const { frames, audio } = await datasets.soundingScenes({ split: 'test', size: [96, 160], clipLength: 8, length: 1 }).get(0)
  const model = await DiffSal.load(undefined, { device: 'cpu', threads: 1 })
  const { shape, data } = await model.predict({ frames, audio }, { steps: 2, seed: 1 })
  await model.dispose()
  console.log(JSON.stringify({ shape, data: Array.from(data) }))
}

main()
