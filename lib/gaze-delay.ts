import { number } from './checks/table.ts'

/** The longest delay, in seconds. */
export const longestGazeDelay = 1

/** `gazeDelay` where it is an option. */
export const gazeDelayOption = number(0, longestGazeDelay, { usual: 0 })

/** Times this near to each other are one, in seconds: files round them. */
const rounding = 1e-3

/** The most frames that gaze comes after the picture: as many as are shown in `gazeDelay` seconds at a rate. */
export function delayFrames(gazeDelay: number, fps: number): number {
  return Math.floor((gazeDelay + rounding) * fps)
}

/**
 * The frame that eyes at frame k answer to: the earliest of those that began to be shown within the last `gazeDelay` seconds. At a constant rate
 * it is `delayFrames` before k; where a frame stays long, as a slide, it is k itself.
 *
 * @param timeOf when frame i begins to be shown; asked for k and the frames before it, at most `most`
 */
export function answeredFrame(k: number, gazeDelay: number, most: number, timeOf: (i: number) => number): number {
  const since = timeOf(k) - gazeDelay - rounding
  let frame = k
  while (frame > 0 && k - frame < most && timeOf(frame - 1) >= since) frame -= 1
  return frame
}
