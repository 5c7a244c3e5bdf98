import { afterAll, vi } from 'vitest'
import { bundledFfmpeg } from './bundled-ffmpeg.ts'
import { setLogger } from '../../lib/log.ts'
import { removeTemporary } from './temporary.ts'

// Run before each test file. A process runs several: what one changes of it, the next one finds as it was.

// A distribution's ffmpeg opens two hundred libraries, and takes a third of a second before it begins. What is read by each ffmpeg there is asks
// for each by name, as `ffmpegs.ts` has them; DIFFSAL_FFMPEG runs the rest by another one.
process.env.DIFFSAL_FFMPEG ||= bundledFfmpeg

const environment = { ...process.env }
const folder = process.cwd()

afterAll(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name]
  Object.assign(process.env, environment)
  process.chdir(folder)
  process.exitCode = undefined
  setLogger(undefined)
  removeTemporary()
})
