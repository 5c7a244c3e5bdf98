import { describe } from 'vitest'
import { checkNetwork } from './check-network.ts'

// The rest is in full-size.nightly.test.ts.
const parts = { precisions: ['float32'], fromClip: false } as const

describe('paper-av-full: video and sound at the full size', () => checkNetwork('paper-av-full', {}, parts))
describe("released-av-full: the released network at the paper's size", () => checkNetwork('released-av-full', {}, parts))
