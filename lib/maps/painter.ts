import { paint, type MapLook } from './paint.ts'
import { resized } from './resize.ts'
import { bytesOf, levelScale } from './scale.ts'

/** Makes pictures of the maps of one video, which come in order. */
export interface MapPainter {
  /** What pixels the pictures have: RGBA, or grey. */
  readonly pixelFormat: 'rgba' | 'gray'
  /** [height, width] of the pictures. */
  readonly size: readonly [number, number]
  /** A map's levels, 0 to 1: those of frames between two maps lie between theirs. */
  levels(map: Float32Array): Float32Array
  /** The pixels of levels. */
  paint(levels: Float32Array): Uint8Array
}

/**
 * The pictures have the map's size, because ffmpeg enlarges them faster; those with lines have the frame's, so that these are sharp.
 *
 * @param over whether they are laid over the frames: then low levels are clear
 */
export function mapPainter(look: MapLook, mapSize: readonly [number, number], frameSize: readonly [number, number], over: boolean): MapPainter {
  const scale = levelScale(look.scale ?? 'video')
  const lines = (look.contours ?? []).length > 0
  const size = lines ? frameSize : mapSize
  const levels = (map: Float32Array): Float32Array => scale.levels(map)
  if (!over && !lines && (look.colourMap ?? 'grey') === 'grey') return { pixelFormat: 'gray', size, levels, paint: bytesOf }
  return { pixelFormat: 'rgba', size, levels, paint: (of) => paint(lines ? resized(of, mapSize, size) : of, size, look, over) }
}
