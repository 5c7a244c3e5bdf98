import { it } from 'vitest'
import { checkTraining } from './check-training.ts'

it.each(['train-paper-av', 'train-paper-video', 'train-released-av'])('%s: three steps of Adam', (name) => checkTraining(name), 240_000)
