import { describe, it } from 'vitest'
import { likeliest } from '../support/nightly.ts'
import { checkTraining, ofPapersAdam } from './check-training.ts'

const timeout = 240_000

/**
 * Adam with an epsilon of 1e-2, above the clipped gradients: its updates are proportional to them, so three steps show rounding and
 * nothing else. The reference program differs from itself, with another number of threads, by 2e-3 in the released dialect's third norm
 * and by 1.6 % of the smallest movement (2e-7 an element, where weights are rounded), else by a tenth of that.
 */
describe('three steps of a smooth descent', () => {
  const tolerance = { firstStep: 1e-4, loss: 1e-4, norm: 1e-3, share: 1, statistic: 2e-4, movement: 0.05 }

  it.each(likeliest(['descend-paper-av', 'descend-paper-video']))('%s', (name) => checkTraining(name, tolerance), timeout)

  it('descend-released-av', () => checkTraining('descend-released-av', { ...tolerance, norm: 1e-2 }), timeout)
})

describe("three steps of the paper's Adam", () => {
  it.each(likeliest(['train-paper-av', 'train-paper-video', 'train-released-av']))('%s', (name) => checkTraining(name, ofPapersAdam), timeout)
})
