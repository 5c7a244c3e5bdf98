import { describe } from 'vitest'
import { checkNetwork } from './check-network.ts'

describe('paper-video: video only', () => checkNetwork('paper-video', { video: 'paper-av' }))
