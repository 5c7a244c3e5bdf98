import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { bundledFfmpeg } from './bundled-ffmpeg.ts'
import { likeliest } from './nightly.ts'

/** The first of PATH, if there is one. */
export const ffmpegOfPath = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'ffmpeg'))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })

if (ffmpegOfPath === undefined) console.warn('Testing with the bundled ffmpeg only: there is none on PATH.')

/**
 * What reads the files that are hard to read, by a name: the ffmpeg of PATH, as for a user; every night each ffmpeg that is here, for all read
 * them alike.
 */
export const ffmpegs: readonly (readonly [name: string, path: string])[] = likeliest([
  ...(ffmpegOfPath === undefined ? [] : [['the ffmpeg of PATH', ffmpegOfPath] as const]),
  ['the bundled ffmpeg', bundledFfmpeg] as const,
])
