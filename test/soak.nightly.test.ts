import { describe } from 'vitest'
import { checkSoak } from './support/check-soak.ts'

describe('a process that goes on and on', () => checkSoak({ predictions: 100, features: 200, steps: 600 }))
