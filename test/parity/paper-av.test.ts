import { describe } from 'vitest'
import { checkNetwork } from './check-network.ts'

describe('paper-av: video and sound', () => checkNetwork('paper-av', { video: 'paper-av', audio: true }))
