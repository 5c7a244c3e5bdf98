import { createRequire } from 'node:module'

/** The ffmpeg that the dev dependency brings, which makes the files of the tests. */
export const bundledFfmpeg = (createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg') as { path: string }).path
