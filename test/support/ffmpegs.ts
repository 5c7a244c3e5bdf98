import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { bundledFfmpeg } from './bundled-ffmpeg.ts'

/** The first of PATH, if there is one. */
const ofPath = (process.env.PATH ?? '')
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

if (ofPath === undefined) console.warn('Testing with the bundled ffmpeg only: there is none on PATH.')

/** Every ffmpeg that is here, by a name: files are read alike by all of them. */
export const ffmpegs: readonly (readonly [name: string, path: string])[] = [
  ['the bundled ffmpeg', bundledFfmpeg],
  ...(ofPath === undefined ? [] : [['the ffmpeg of PATH', ofPath] as const]),
]
