import { describe, it } from 'vitest'
import { checkTraining, ofPapersAdam } from './check-training.ts'

describe("three steps of the paper's Adam", () => {
  it.each(['train-paper-video', 'train-released-av'])('%s', (name) => checkTraining(name, ofPapersAdam))
})
