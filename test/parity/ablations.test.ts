import { describe } from 'vitest'
import { checkNetwork } from './check-network.ts'

describe('paper-none: convolutions instead of attention', () => checkNetwork('paper-none'))
describe('paper-sca: standard cross-attention', () => checkNetwork('paper-sca'))
describe('paper-addition: sound added', () => checkNetwork('paper-addition'))
describe('paper-concatenation: sound concatenated', () => checkNetwork('paper-concatenation'))
describe('paper-bilinear: a product of projections', () => checkNetwork('paper-bilinear'))

// Not the paper's: the golden values come from the reference program with x + W(Ux ∘ Va) for each stage's map x, no key.
describe('own-residual: a product of projections, added to the map', () => checkNetwork('own-residual'))
