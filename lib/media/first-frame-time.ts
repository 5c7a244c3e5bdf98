import { readFrames } from './frames.ts'
import type { VideoInfo } from './media-info.ts'

/** When a file's first frame is shown, in seconds on the plan's clock: above 0 where the sound begins before, or where the first pictures cannot be decoded. */
export async function firstFrameTime(info: VideoInfo): Promise<number> {
  for await (const { time } of readFrames(info, [2, 2], { minimum: 0, quiet: true })) return time
  return 0
}
