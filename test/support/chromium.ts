import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Debian's Chromium and others, by PATH; `DIFFSAL_TEST_CHROMIUM` names one. undefined where there is none. */
export function findChromium(): string | undefined {
  const named = process.env.DIFFSAL_TEST_CHROMIUM
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const places =
    named === undefined ? folders.flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name))) : [named]
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
