import { describe } from 'vitest'
import { checkNetwork } from './check-network.ts'

// The dialects share their video encoder, and the released one's own maps are those of paper-av.
describe('released-av: video and sound', () => checkNetwork('released-av', { video: 'paper-av', audio: true }))
describe('released-video: video alone', () => checkNetwork('released-video', { video: 'paper-av' }))
