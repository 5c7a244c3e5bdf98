import { describe } from 'vitest'
import { checkSoak } from './support/check-soak.ts'

describe('a process that goes on', () => checkSoak({ predictions: 15, features: 30, steps: 60 }))
