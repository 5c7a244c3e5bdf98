import { openSharp } from '../files/open-sharp.ts'

/** Levels 0 to 1 as a grey PNG. */
export async function greyPng(levels: Float32Array, [height, width]: readonly [number, number], bits: 8 | 16 = 8): Promise<Buffer> {
  const sharp = openSharp()
  const raw = { width, height, channels: 1 } as const
  if (bits === 8)
    return sharp(
      Uint8Array.from(levels, (level) => level * 255 + 0.5),
      { raw },
    )
      .toColourspace('b-w')
      .png()
      .toBuffer()
  return sharp(
    Uint16Array.from(levels, (level) => level * 65_535 + 0.5),
    { raw },
  )
    .toColourspace('grey16')
    .png()
    .toBuffer()
}

/** RGBA pixels as a PNG without transparency. */
export async function colourPng(pixels: Uint8Array, [height, width]: readonly [number, number]): Promise<Buffer> {
  const sharp = openSharp()
  return sharp(pixels, { raw: { width, height, channels: 4 } })
    .removeAlpha()
    .png()
    .toBuffer()
}
