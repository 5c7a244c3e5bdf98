import { invalidArgumentText } from '../errors.ts'
import { videoArea, viewedScreen, type GazeScreen, type PictureSize } from './screen.ts'

/**
 * What x and y of a file are: 'shares' of the video's width and height; 'pixels' of the screen, from its upper left corner; 'video-pixels',
 * those of the video itself; degrees from the middle of the screen to the right, and 'degrees-down' or 'degrees-up'.
 */
export type PlaceUnit = 'shares' | 'pixels' | 'video-pixels' | 'degrees-down' | 'degrees-up'

/** The units that places can come in. */
export const placeUnits = ['shares', 'pixels', 'video-pixels', 'degrees-down', 'degrees-up'] as const satisfies readonly PlaceUnit[]

/** A place in a file's own units, as shares of the video's width and height. */
export type Placer = (x: number, y: number) => { x: number; y: number }

/**
 * How a file's places become shares of the video.
 *
 * @param where the file, for messages: `'gaze.csv' has places in pixels of the screen`
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for a screen or size that is needed and not given
 */
export function placerOf(unit: PlaceUnit, path: string, screen: GazeScreen | undefined, picture: PictureSize | undefined): Placer {
  if (unit === 'shares') return (x, y) => ({ x, y })
  if (unit === 'video-pixels') {
    if (picture === undefined) throw invalidArgumentText('picture', `{ width, height } of the video, since '${path}' has places in its pixels`, 'nothing')
    return (x, y) => ({ x: x / picture.width, y: y / picture.height })
  }
  if (unit === 'pixels') {
    const expected = `{ width, height } of the screen, since '${path}' has places in its pixels (or say places: 'video-pixels' where they are the video's)`
    if (screen === undefined) throw invalidArgumentText('screen', expected, 'nothing')
    return within(screen, picture)
  }
  const viewed = viewedScreen('screen', screen, `the degrees of '${path}'`)
  const ofScreen = within(viewed, picture)
  const [across, down] = [viewed.width / viewed.widthCm, viewed.height / viewed.heightCm]
  const sign = unit === 'degrees-up' ? -1 : 1
  const offset = (degrees: number) => Math.tan((degrees * Math.PI) / 180) * viewed.distanceCm
  return (x, y) => ofScreen(viewed.width / 2 + offset(x) * across, viewed.height / 2 + sign * offset(y) * down)
}

function within(screen: GazeScreen, picture: PictureSize | undefined): Placer {
  const { left, top, width, height } = videoArea('screen', screen, picture)
  return (x, y) => ({ x: (x - left) / width, y: (y - top) / height })
}
