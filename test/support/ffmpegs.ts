import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'

/** The ffmpeg that the dev dependency brings, which makes the files of the tests. */
export const bundledFfmpeg = (createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg') as { path: string }).path

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
