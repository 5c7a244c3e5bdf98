import type { MediaInfo } from './media-info.ts'
import { rationalValue } from './rational.ts'

/** What a video says of itself. */
export interface SourceInfo {
  /** [height, width] in pixels, as shown: after the rotation. null for sound alone. */
  readonly size: readonly [number, number] | null
  /** Frames a second, on the average; of sound alone, maps a second. */
  readonly frameRate: number
  /** Seconds, where the file tells. */
  readonly duration?: number | undefined
  /** By how many degrees the stored frames are turned to be shown, clockwise: 0, 90, 180 or 270, as phones write it. */
  readonly rotation: number
}

/** What a plan tells of its file. */
export function sourceOf({ video, duration }: MediaInfo, rateOfSound: number): SourceInfo {
  const turn = Number.isFinite(video?.turn) ? Math.round(video!.turn!) : 0
  return Object.freeze({
    size: video && Object.freeze([video.height, video.width] as const),
    frameRate: video ? rationalValue(video.rate) : rateOfSound,
    ...(duration !== undefined && { duration }),
    rotation: (360 - (turn % 360)) % 360,
  })
}
