import { openSharp } from '../files/open-sharp.ts'
import type { HeardWith, ListenedFrame } from '../listen.ts'
import { colourise } from '../maps/picture.ts'
import type { Tensor } from '../tensor.ts'

/** The rows of a strip, from the top on; where the model does not see there is no first one. */
export const stripRows = ['picture', 'right', 'otherSeed', 'silence', 'shuffled', 'shifted'] as const

/** Pixels. */
const [leastWidth, gap] = [160, 4]
const mostColumns = 8

/** What was looked at as one PNG: a column a frame, eight at most, and a row each for the frame and for its map with each sound, from its least value to its greatest. */
export async function listeningStrip(frames: readonly ListenedFrame[]): Promise<Buffer> {
  const columns = Math.min(mostColumns, frames.length)
  const shown = Array.from({ length: columns }, (_, i) => frames[Math.floor(((i + 0.5) * frames.length) / columns)]!)
  const rows = stripRows.filter((row) => row !== 'picture' || shown[0]!.picture !== undefined)
  const [height, width] = shown[0]!.maps.right.shape.slice(-2) as [number, number]
  const times = Math.max(1, Math.ceil(leastWidth / width))
  const sharp = openSharp()
  const cell = [height * times, width * times] as const
  const cells = shown.flatMap((frame, column) =>
    rows.map(async (row, line) => ({
      input: await (row === 'picture' ? large(frame.picture!, cell) : mapCell(frame, row, cell)),
      left: column * (cell[1] + gap),
      top: line * (cell[0] + gap),
    })),
  )
  const sheet = { width: columns * (cell[1] + gap) - gap, height: rows.length * (cell[0] + gap) - gap, channels: 3, background: 'white' } as const
  return sharp({ create: sheet })
    .composite(await Promise.all(cells))
    .png()
    .toBuffer()
}

async function mapCell({ picture, maps }: ListenedFrame, row: HeardWith, cell: readonly [number, number]): Promise<Buffer> {
  const over = picture && (await large(picture, cell))
  return colourise(maps[row], { scale: 'each', ...(over ? { over } : { size: cell, colourMap: 'heat' }) })
}

async function large({ shape: [height, width], data }: Tensor<'uint8'>, [toHeight, toWidth]: readonly [number, number]): Promise<Buffer> {
  const sharp = openSharp()
  return sharp(data, { raw: { height: height!, width: width!, channels: 3 } })
    .resize(toWidth, toHeight, { fit: 'fill' })
    .png()
    .toBuffer()
}
