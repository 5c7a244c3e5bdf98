import { describe } from 'vitest'
import { checkNetwork } from './check-network.ts'

describe('paper-audio: sound only', () => checkNetwork('paper-audio', { audio: true }))
