import { bundledFfmpeg } from './bundled-ffmpeg.ts'

// For test files that are not about ffmpeg, and start it often: the bundled one starts in 0.02 s, one of some hundred shared libraries in 0.3 s.
// How the others are used is what `test/media/` and the tests of `ffmpegs.ts` are about. Who names one by the variable, means it.
process.env.DIFFSAL_FFMPEG ??= bundledFfmpeg
