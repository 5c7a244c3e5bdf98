import { number } from './checks/table.ts'

/** The longest delay, in seconds. */
export const longestGazeDelay = 1

/** `gazeDelay` where it is an option. */
export const gazeDelayOption = number(0, longestGazeDelay, { usual: 0 })

/** So much of a frame may lack for it to count: 29.97 frames a second show three in 0.1 s. */
const nearly = 0.1

/** How many frames gaze comes after the picture: as many as are shown in `gazeDelay` seconds at a rate. */
export function delayFrames(gazeDelay: number, fps: number): number {
  return Math.floor(gazeDelay * fps + nearly)
}

/** The frame that eyes at frame k answer to, at a constant rate: `delayFrames` before k, or the first. */
export function answeredFrame(k: number, gazeDelay: number, fps: number): number {
  return Math.max(0, k - delayFrames(gazeDelay, fps))
}

/** Which frames eyes answer to in one video. */
export interface Answering {
  /** How many frames before, at most. */
  readonly frames: number
  /** How many seconds before, at most. */
  readonly seconds: number
  /**
   * The frame that eyes at frame k answer to: the earliest of those before it that began to be shown within the delay. At a constant rate it
   * is {@link answeredFrame}; where a frame stays long, as a slide, it is k itself.
   *
   * @param timeOf when frame i begins to be shown; asked for k and `frames` before it
   */
  frameAt(k: number, timeOf: (i: number) => number): number
}

/** @param fps frames a second on the average. Files and cameras tell times that tremble by less than half a frame of it */
export function answering(gazeDelay: number, fps: number): Answering {
  const frames = delayFrames(gazeDelay, fps)
  const seconds = frames === 0 ? 0 : gazeDelay + 0.5 / fps
  return {
    frames,
    seconds,
    frameAt(k, timeOf) {
      let frame = k
      while (frame > 0 && k - frame < frames && timeOf(frame - 1) >= timeOf(k) - seconds) frame -= 1
      return frame
    },
  }
}
