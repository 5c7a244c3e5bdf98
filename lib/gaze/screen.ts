import { invalidArgument, invalidArgumentText } from '../errors.ts'
import { checkChoice, checkNumber, checkOptions, isPlain } from '../checks/options.ts'

/** A part of a screen, in its pixels. */
export interface ScreenArea {
  /** From the screen's left edge. */
  readonly left: number
  /** From the screen's upper edge. */
  readonly top: number
  /** How wide. */
  readonly width: number
  /** How high. */
  readonly height: number
}

/** The screen that the viewers looked at, and how far away it was. */
export interface GazeScreen {
  /** Pixels across. */
  width: number
  /** Pixels down. */
  height: number
  /** Centimetres across. Degrees need it. Default: not known. */
  widthCm?: number | undefined
  /** Centimetres down. Default: as its pixels are square. */
  heightCm?: number | undefined
  /** Centimetres from the eyes to the middle of the screen. Degrees need it. Default: not known. */
  distanceCm?: number | undefined
  /**
   * Where on the screen the video was: 'stretch', on all of it; 'fit', as large as it can be in the middle; 'own-size', in the middle, a
   * pixel for a pixel; or a place in pixels. Default: on all of it, which is refused where the video has another form than the screen.
   */
  video?: 'stretch' | 'fit' | 'own-size' | ScreenArea | undefined
}

/** How large a video's pictures are, in their own pixels. */
export interface PictureSize {
  /** Pixels across. */
  readonly width: number
  /** Pixels down. */
  readonly height: number
}

/** A screen's measures that angles need. */
export interface ViewedScreen extends GazeScreen {
  readonly widthCm: number
  readonly heightCm: number
  readonly distanceCm: number
}

const most = 100_000

/** Checks a screen. */
export function checkScreen(argument: string, given: unknown): GazeScreen {
  const screen = checkOptions<GazeScreen>(argument, given as GazeScreen, ['width', 'height', 'widthCm', 'heightCm', 'distanceCm', 'video'])
  const length = (name: 'widthCm' | 'heightCm' | 'distanceCm') =>
    screen[name] === undefined ? undefined : checkNumber(`${argument}.${name}`, screen[name], 0.1, most)
  const [width, height] = [checkNumber(`${argument}.width`, screen.width, 1, most), checkNumber(`${argument}.height`, screen.height, 1, most)]
  const [widthCm, heightCm, distanceCm] = [length('widthCm'), length('heightCm'), length('distanceCm')]
  if (widthCm !== undefined && heightCm !== undefined) {
    const ratio = widthCm / width / (heightCm / height)
    const square = ((widthCm * height) / width).toFixed(1)
    if (ratio < 0.9 || ratio > 1.1)
      throw invalidArgumentText(`${argument}.heightCm`, `about ${square} cm, as ${width} × ${height} square pixels of ${widthCm} cm are`, `${heightCm}`)
  }
  return { width, height, widthCm, heightCm, distanceCm, video: checkArea(`${argument}.video`, screen.video, width, height) }
}

function checkArea(argument: string, given: unknown, width: number, height: number): GazeScreen['video'] {
  if (given === undefined) return undefined
  if (!isPlain(given)) return checkChoice(argument, given, ['stretch', 'fit', 'own-size'] as const)
  const area = checkOptions<ScreenArea>(argument, given as ScreenArea, ['left', 'top', 'width', 'height'])
  return {
    left: checkNumber(`${argument}.left`, area.left, -most, width),
    top: checkNumber(`${argument}.top`, area.top, -most, height),
    width: checkNumber(`${argument}.width`, area.width, 1, most),
    height: checkNumber(`${argument}.height`, area.height, 1, most),
  }
}

/** A screen that angles can be had of; says what is missing. */
export function viewedScreen(argument: string, screen: GazeScreen | undefined, what: string): ViewedScreen {
  const expected = `a screen with width, height, widthCm and distanceCm, for ${what}`
  if (screen === undefined) throw invalidArgument(argument, expected, screen)
  const { width, height, widthCm, distanceCm } = screen
  if (widthCm === undefined || distanceCm === undefined)
    throw invalidArgumentText(argument, expected, `one without ${widthCm === undefined ? 'widthCm' : 'distanceCm'}`)
  return { ...screen, widthCm, heightCm: screen.heightCm ?? (widthCm * height) / width, distanceCm }
}

/**
 * Where on a screen a video was.
 *
 * @param picture the video's size; needed for 'fit' and 'own-size'
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where the size is needed and not given, or the video would be distorted in silence
 */
export function videoArea(argument: string, screen: GazeScreen, picture: PictureSize | undefined): ScreenArea {
  const { width, height, video } = screen
  if (typeof video === 'object') return video
  const whole = { left: 0, top: 0, width, height }
  if (video === 'stretch') return whole
  if (video === undefined) {
    if (picture === undefined || Math.abs((picture.width * height) / (picture.height * width) - 1) < 0.02) return whole
    const form = `${picture.width} × ${picture.height} on a screen of ${width} × ${height}`
    throw invalidArgumentText(
      `${argument}.video`,
      "'fit', 'stretch', 'own-size' or { left, top, width, height }, since the video has another form than the screen",
      `nothing, for ${form},`,
    )
  }
  if (picture === undefined) throw invalidArgumentText('picture', `{ width, height } of the video, which '${argument}.video' needs`, 'nothing')
  const scale = video === 'fit' ? Math.min(width / picture.width, height / picture.height) : 1
  const [wide, high] = [picture.width * scale, picture.height * scale]
  return { left: (width - wide) / 2, top: (height - high) / 2, width: wide, height: high }
}

/** Refuses what is no size of a video. */
export function checkPicture(argument: string, given: unknown): PictureSize {
  const { width, height } = checkOptions<PictureSize>(argument, given as PictureSize, ['width', 'height'])
  return { width: checkNumber(`${argument}.width`, width, 1, most), height: checkNumber(`${argument}.height`, height, 1, most) }
}

/**
 * An angle in the middle of what a viewer sees, as a share of the video's width: the `sigma` of a density of so many degrees.
 *
 * @param degrees - up to 45
 * @param screen - with `widthCm` and `distanceCm`
 * @param picture - the video's size, where `screen.video` needs it
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function shareOfDegrees(degrees: number, screen: GazeScreen, picture?: PictureSize): number {
  checkNumber('degrees', degrees, 1e-3, 45)
  const viewed = viewedScreen('screen', checkScreen('screen', screen), 'degrees')
  const size = picture === undefined ? undefined : checkPicture('picture', picture)
  const pixels = (Math.tan((degrees * Math.PI) / 180) * viewed.distanceCm * viewed.width) / viewed.widthCm
  return pixels / videoArea('screen', viewed, size).width
}

/** A place in shares of a video, in centimetres from the middle of the screen, down and to the right. */
export function centimetresOf(
  { width, height, widthCm, heightCm }: ViewedScreen,
  area: ScreenArea,
): (place: { readonly x: number; readonly y: number }) => { x: number; y: number } {
  return ({ x, y }) => ({ x: ((area.left + x * area.width) / width - 0.5) * widthCm, y: ((area.top + y * area.height) / height - 0.5) * heightCm })
}
