import { describe } from 'vitest'
import { checkTerminations } from './support/check-terminations.ts'

describe('worker threads', () =>
  checkTerminations({ sampling: 4, sounds: 8, refusals: 8, models: 6, denoising: 5, training: 4, fitting: 4, encoding: 4, loading: 6, videos: 4 }))
