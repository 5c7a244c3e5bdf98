import { describe } from 'vitest'
import { checkNetwork, ofFullSize } from './check-network.ts'

describe('paper-av-full: video and sound at the full size', () => checkNetwork('paper-av-full', {}, ofFullSize))
describe("released-av-full: the released network at the paper's size", () => checkNetwork('released-av-full', {}, ofFullSize))
