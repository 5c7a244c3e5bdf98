/**
 * Finds a learning rate: steps of a rate that rises by a fifth each, until the loss leaves its best far behind. Where it falls fastest is a rate to train
 * with. Frozen parameters, groups and the rest of the trainer's options may be those of the training to come.
 *
 *     node find-learning-rate.ts [WEIGHTS]
 */
import { datasets, DiffSal, DiffSalError, presets } from '../lib/index.ts'

const [first, factor, batch, kept] = [1e-6, 1.2, 4, 0.8]
const loaded = await DiffSal.load(process.argv[2] ?? presets.scenes.weights)
const model = await loaded.clone() // what is found out here is not trained into the first
const { size, clipLength } = model.config
const data = datasets.soundingScenes({ split: 'train', size: [...size], clipLength }) // or yours
const trainer = model.trainer({ lr: first, seed: 1 })

const curve: { lr: number; loss: number }[] = []
let [mean, weight, least] = [0, 0, Infinity]
try {
  for await (const { batch: samples } of datasets.loadBatches(data, { batch, seed: 1, mel: model.melShape })) {
    const { frames, target, mel } = samples
    const { loss, lr } = await trainer.step({ frames, target, ...(mel && { mel }) })
    // The losses' running mean, as a batch is not like the next.
    ;[mean, weight] = [kept * mean + (1 - kept) * loss, kept * weight + (1 - kept)]
    curve.push({ lr, loss: mean / weight })
    least = Math.min(least, mean / weight)
    if (mean / weight > 3 * least || lr > 1) break
    trainer.lr = lr * factor
  }
} catch (error) {
  // A loss that is not finite is the end of the curve too.
  if (!(error instanceof DiffSalError) || error.code !== 'ERR_DIFFSAL_DIVERGED') throw error
}
const falls = curve.map(({ lr, loss }, i) => ({ lr, fall: (curve[Math.max(0, i - 5)]?.loss ?? loss) - loss }))
const steepest = falls.reduce((best, one) => (one.fall > best.fall ? one : best))
for (const { lr, loss } of curve.filter((_, i) => i % 5 === 0)) console.log(`${lr.toExponential(1)}: loss ${loss.toFixed(2)}`)
console.log(`after ${curve.length} steps: the loss falls fastest at a learning rate of ${steepest.lr.toExponential(1)}`)
await Promise.all([loaded.dispose(), model.dispose()])
