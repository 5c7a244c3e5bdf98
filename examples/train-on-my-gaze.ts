/**
 * Goes on training the weights that ship, on a folder of one's own videos with gaze beside them: `NAME.mp4` with `NAME.csv`, `.tsv` of Tobii's, `.asc` of
 * EyeLink's. What the tables do not tell (units, the screen) stands in `tracker.json` in the folder. Every third video is held out.
 *
 *     node train-on-my-gaze.ts FOLDER [epochs]
 */
import { datasets, DiffSal } from '../lib/index.ts'

const [folder = '.', epochs = '10'] = process.argv.slice(2)
const model = await DiffSal.load()
const { size, clipLength, gazeDelay } = model.config
const options = { size, clipLength, gazeDelay, heldOut: 3 }
const train = await datasets.openGaze(folder, { ...options, augment: true, stride: 8 })
const held = await datasets.openGaze(folder, { ...options, split: 'validation', stride: 8 })

const before = await model.evaluate(held, { limit: 20 })
const trainer = model.trainer({ lr: 1e-5 })
for await (const event of trainer.fit(train, { epochs: Number(epochs), batch: 2 })) {
  if (event.type === 'epoch') console.log(`epoch ${event.epoch} done`)
}
const after = await model.evaluate(held, { limit: 20 })
console.log(`CC of the held-out videos: ${before.mean.cc.toFixed(3)} before, ${after.mean.cc.toFixed(3)} after`)
await model.save('my-gaze.safetensors')
await model.dispose()
