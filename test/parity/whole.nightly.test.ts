import { describe } from 'vitest'
import { checkNetwork, nightly } from './check-network.ts'

const small = [
  'paper-av',
  'paper-video',
  'paper-audio',
  'paper-none',
  'paper-sca',
  'paper-addition',
  'paper-concatenation',
  'paper-bilinear',
  'own-residual',
  'released-av',
  'released-video',
]

describe.each([...small, 'paper-av-full', 'released-av-full'])('%s, all of it', (name) => checkNetwork(name, {}, nightly))
