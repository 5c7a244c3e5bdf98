import { expect } from 'vitest'
import type { fakeCli } from './fake-cli.ts'
import { ffmpeg, picture, tone } from './media.ts'
import { temporaryPath } from './temporary.ts'

type Cli = ReturnType<typeof fakeCli>

/** The highest memory of the program, in MB, on a video of so many seconds, at the paper's size and with a network that takes none. */
async function peak(cli: Cli, seconds: number): Promise<number> {
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

/** Fails where the command line needs more memory for a long video than for a short one, which each are so many seconds. */
export async function checkMemory(cli: Cli, shorter: number, longer: number): Promise<void> {
  const [short, long] = [await peak(cli, shorter), await peak(cli, longer)]
  console.log(`Peak memory: ${short.toFixed(0)} MB for ${shorter} s, ${long.toFixed(0)} MB for ${longer} s.`)
  expect(long).toBeLessThan(short * 1.2 + 50)
}
