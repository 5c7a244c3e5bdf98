import { ffmpeg } from './media.ts'
import { temporaryPath } from './temporary.ts'

/**
 * Makes a clip of 25 frames a second, 160 × 90, in which a bright red square has its middle at x(t), a share of the width, in an expression of ffmpeg's of
 * the time t in seconds: what the fake model's maps are bright at. Lossless. Gives its path.
 *
 * @param background the colour around it, without red
 */
export async function spotClip(name: string, x: string, frames: number, { y = '0.5', background = '0x002828' } = {}): Promise<string> {
  const path = temporaryPath(name)
  const inputs = ['-f', 'lavfi', '-i', `color=${background}:s=160x90:r=25`, '-f', 'lavfi', '-i', 'color=0xFF2828:s=16x16:r=25']
  const graph = `[0:v][1:v]overlay=format=rgb:x='160*(${x})-8':y='90*(${y})-8'`
  await ffmpeg(...inputs, '-filter_complex', graph, '-frames:v', String(frames), '-c:v', 'libx264rgb', '-qp', '0', '-preset', 'ultrafast', path)
  return path
}
