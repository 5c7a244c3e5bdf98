// Fits a small model, a checkpoint a step in the folder that is its argument; from the third on the disk fails as FAULT_AFTER_2 says.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createModel, trainingSample } from './package.mjs'

const [folder] = process.argv.slice(2)
const model = await createModel()
const contents = () => readdirSync(folder).map((name) => readFileSync(join(folder, name)).toString('latin1'))
let before
try {
  const dataset = { length: 4, get: async (index) => trainingSample(index) }
  for await (const event of model.trainer({ seed: 1 }).fit(dataset, { epochs: 1, batch: 1, every: 1, checkpointDir: folder })) {
    if (event.type !== 'checkpoint' || event.step < 2) continue
    before = contents()
    process.env.DISK_FAULT = process.env.FAULT_AFTER_2
  }
} catch (error) {
  delete process.env.DISK_FAULT
  console.log(JSON.stringify({ error: error.code, message: error.message, files: readdirSync(folder), same: contents().join() === before.join() }))
}
