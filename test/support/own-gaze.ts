import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { ffmpeg } from './media.ts'

/** Where the viewers of each video look, in shares. */
const spots = { one: [0.3, 0.4], three: [0.5, 0.6], two: [0.7, 0.5] } as const

/**
 * Makes `truth/one.mp4`, `three.mp4` and `two.mp4` of 12 frames with a second beside each of what four viewers' tracker wrote in pixels, `tracker.json`, and
 * `maps/one/000000.png`, … that are bright where they look.
 */
export async function makeOwnGaze(folder: string): Promise<void> {
  for (const name of ['truth', 'maps']) mkdirSync(join(folder, name), { recursive: true })
  const tracker = { times: 'ms', screen: { width: 1920, height: 1080, widthCm: 53, distanceCm: 65, video: 'fit' }, fixations: { method: 'ivt' } }
  writeFileSync(join(folder, 'truth/tracker.json'), JSON.stringify(tracker))
  for (const [name, [x, y]] of Object.entries(spots)) {
    await ffmpeg('-f', 'lavfi', '-i', `testsrc2=s=64x36:r=25:d=0.48`, join(folder, `truth/${name}.mp4`))
    const rows = ['a', 'b', 'c', 'd'].flatMap((viewer, v) =>
      Array.from({ length: 120 }, (_, i) => `${viewer},${i * 4},${(x + 0.02 * v) * 1920 + (i % 3)},${(y + 0.01 * v) * 1080 + (i % 2)}`),
    )
    writeFileSync(join(folder, `truth/${name}.csv`), ['viewer,time,x_px,y_px', ...rows].join('\r\n'))
    mkdirSync(join(folder, 'maps', name))
    const pixels = Uint8Array.from({ length: 32 * 18 }, (_, at) => 255 * Math.exp(-(((at % 32) / 32 - x) ** 2 + (Math.floor(at / 32) / 18 - y) ** 2) / 0.02))
    const png = await sharp(pixels, { raw: { width: 32, height: 18, channels: 1 } })
      .png()
      .toBuffer()
    for (let frame = 0; frame < 12; frame += 4) writeFileSync(join(folder, 'maps', name, `${String(frame).padStart(6, '0')}.png`), png)
  }
}
