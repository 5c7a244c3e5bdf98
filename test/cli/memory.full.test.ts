import { expect, test } from 'vitest'
import { fakeCli } from '../support/fake-cli.ts'
import { ffmpeg, picture, tone } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

const cli = fakeCli()

/** The highest memory of the program, in MB, on a video of so many seconds, at the paper's size and with a network that takes none. */
async function peak(seconds: number): Promise<number> {
  const path = temporaryPath(`${seconds}.mp4`)
  await ffmpeg(...picture('160x96', '25', seconds), ...tone(seconds), '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', path)
  const outputs = ['--overlay', '-o', temporaryPath(`${seconds}-overlay.mp4`), '--maps', temporaryPath(`${seconds}.npy`)]
  const { code, stderr } = await cli(['predict', path, '--weights', 'any', '--stride', '8', ...outputs], {
    config: { size: [224, 384] },
    env: { PRINT_MEMORY: '1' },
  })
  expect(code).toBe(0)
  return Number(/peak (\d+) kB/.exec(stderr)![1]) / 1024
}

test('five minutes of video need no more memory than half a minute', async () => {
  const [short, long] = [await peak(30), await peak(300)]
  console.log(`Peak memory: ${short.toFixed(0)} MB for half a minute, ${long.toFixed(0)} MB for five minutes.`)
  expect(long).toBeLessThan(short * 1.2 + 50)
})
