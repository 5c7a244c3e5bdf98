import { describe } from 'vitest'
import { checkNetwork } from './check-network.ts'

describe("released-av-full: the released network at the paper's size", () => checkNetwork('released-av-full'))
