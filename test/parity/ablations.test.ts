import { describe } from 'vitest'
import { checkNetwork } from './check-network.ts'

describe('paper-none: convolutions instead of attention', () => checkNetwork('paper-none'))
describe('paper-sca: standard cross-attention', () => checkNetwork('paper-sca'))
describe('paper-addition: sound added', () => checkNetwork('paper-addition'))
describe('paper-concatenation: sound concatenated', () => checkNetwork('paper-concatenation'))
describe('paper-bilinear: a product of projections', () => checkNetwork('paper-bilinear'))
