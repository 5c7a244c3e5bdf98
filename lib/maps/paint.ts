import { invalidArgument } from '../errors.ts'
import { checkBoolean, checkChoice, checkList, checkNumber } from '../checks/options.ts'
import { colourMapNames, colourTable, type ColourMapName } from './colour-maps.ts'
import { contourDistances, lineCover } from './contours.ts'
import { checkScale, type MapScale } from './scale.ts'

/** How maps are painted. */
export interface MapLook {
  /** What the colours stand for. Default `'video'`. */
  scale?: MapScale | undefined
  /** The colours. Default: `heat` over a picture, else `grey`. */
  colourMap?: ColourMapName | undefined
  /** How opaque level 1 is over a picture, 0 to 1; what is lower is less so, in proportion. Default 0.75. */
  opacity?: number | undefined
  /** Levels, above 0 and below 1, along which lines are drawn, white with a dark rim. Default: none. */
  contours?: readonly number[] | undefined
  /** The picture as it is on the left, and what was made of it on the right. Default false. */
  sideBySide?: boolean | undefined
}

/** The names of {@link MapLook}. */
export const lookNames = ['scale', 'colourMap', 'opacity', 'contours', 'sideBySide'] as const

/** How opaque the greatest level is over a picture. */
const defaultOpacity = 0.75

/** A look as nobody else holds it; refuses one that is none. `scale` may be one that is checked elsewhere. */
export function checkLook({ scale, colourMap, opacity, contours: given, sideBySide }: MapLook): MapLook {
  if (scale !== undefined) checkScale('scale', scale)
  if (colourMap !== undefined) checkChoice('colourMap', colourMap, colourMapNames)
  if (opacity !== undefined) checkNumber('opacity', opacity, 0, 1)
  if (sideBySide !== undefined) checkBoolean('sideBySide', sideBySide)
  const contours = given === undefined ? undefined : (checkList('contours', given, 'a list of levels', 0, 64) as number[])
  for (const [i, level] of (contours ?? []).entries()) {
    if (!(checkNumber(`contours[${i}]`, level, 0, 1) > 0 && level < 1)) throw invalidArgument(`contours[${i}]`, 'a level above 0 and below 1', level)
  }
  return { scale, colourMap, opacity, contours, sideBySide }
}

/**
 * RGBA pixels of levels 0 to 1. Over a picture a level is as opaque as it is high; by itself all is opaque. Lines always are.
 *
 * @param size [height, width]
 */
export function paint(levels: Float32Array, size: readonly [number, number], look: MapLook, over: boolean): Uint8Array {
  const { colourMap = over ? 'heat' : 'grey', opacity = defaultOpacity, contours = [] } = look
  const colours = colourTable(colourMap)
  const pixels = new Uint8Array(levels.length * 4)
  for (let i = 0; i < levels.length; i++) {
    const at = 3 * Math.round(levels[i]! * 255)
    pixels[4 * i] = colours[at]!
    pixels[4 * i + 1] = colours[at + 1]!
    pixels[4 * i + 2] = colours[at + 2]!
    pixels[4 * i + 3] = over ? Math.round(levels[i]! * opacity * 255) : 255
  }
  if (contours.length > 0) drawLines(pixels, contourDistances(levels, size, contours), lineWidth(size))
  return pixels
}

/** Lines look alike at all sizes: 1.5 pixels on 360 rows. */
function lineWidth([height]: readonly [number, number]): number {
  return Math.max(1.5, height / 240)
}

function drawLines(pixels: Uint8Array, distances: Float32Array, width: number): void {
  for (let i = 0; i < distances.length; i++) {
    const rim = lineCover(distances[i]!, 2 * width + 1)
    if (rim === 0) continue
    blend(pixels, 4 * i, 0, 0.6 * rim)
    blend(pixels, 4 * i, 255, lineCover(distances[i]!, width))
  }
}

/** Lays a grey over an RGBA pixel, by the share that it covers. */
function blend(pixels: Uint8Array, at: number, grey: number, cover: number): void {
  const below = (pixels[at + 3]! / 255) * (1 - cover)
  const alpha = cover + below
  if (alpha === 0) return
  for (let c = at; c < at + 3; c++) pixels[c] = Math.round((grey * cover + pixels[c]! * below) / alpha)
  pixels[at + 3] = Math.round(alpha * 255)
}
