import { openSharp } from '../files/open-sharp.ts'
import { chosenFrames } from '../media/chosen-frames.ts'
import type { VideoInfo } from '../media/media-info.ts'
import type { ReadOptions } from '../media/opened.ts'
import { rationalValue } from '../media/rational.ts'

/** Pixels that a picture is wide at most. */
const widest = 320

/** The pictures of some frames as `data:` addresses of JPEGs, each made as it is decoded. */
export async function framePictures(
  info: VideoInfo,
  frames: ReadonlySet<number>,
  options: ReadOptions,
  onFrame?: (count: number) => void,
): Promise<ReadonlyMap<number, string>> {
  const { width, height, pixelAspect } = info.video
  const across = width * (pixelAspect ? rationalValue(pixelAspect) : 1)
  const shown = Math.max(1, Math.round(Math.min(across, widest)))
  const size = [Math.max(1, Math.round((height * shown) / across)), shown] as const
  const sharp = openSharp()
  const pictures = new Map<number, string>()
  for await (const { frame, pixels } of chosenFrames(info, size, frames, options, onFrame)) {
    const jpeg = await sharp(pixels, { raw: { height: size[0], width: size[1], channels: 3 } })
      .jpeg({ quality: 82 })
      .toBuffer()
    pictures.set(frame, `data:image/jpeg;base64,${jpeg.toString('base64')}`)
  }
  return pictures
}
