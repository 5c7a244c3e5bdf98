import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { readFrames } from '../../lib/media/frames.ts'
import { probe } from '../../lib/media/probe.ts'
import { bundledFfmpeg } from './bundled-ffmpeg.ts'

/** Runs the bundled ffmpeg, so that a file is the same whichever one reads it, and gives what it wrote to standard output. */
export async function ffmpeg(...args: string[]): Promise<Buffer> {
  const run = promisify(execFile)
  const { stdout } = await run(bundledFfmpeg, ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...args], {
    encoding: 'buffer',
    maxBuffer: 1 << 28,
  })
  return stdout
}

/** Arguments for a moving test picture. */
export function picture(size: string, rate: string, seconds: number): string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`]
}

/** Arguments for the two pictures, a second each, of a clip with one cut; a filter must join them, `[0][1]concat`. */
export function twoShots(size: string): string[] {
  return ['-f', 'lavfi', '-i', `smptebars=s=${size}:r=25:d=1`, ...picture(size, '25', 1)]
}

/** Arguments for a test tone. */
export function tone(seconds: number): string[] {
  return ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`]
}

/** Makes a video whose frame k is one colour, which {@link frameNumber} reads back. Lossless. */
export function numberedFrames(path: string, count: number, rate: string, extra: readonly string[] = []): Promise<Buffer> {
  const source = `color=black:s=32x32:r=${rate},format=gbrp,geq=r='mod(N,16)*16+8':g='mod(floor(N/16),16)*16+8':b='128'`
  return ffmpeg('-f', 'lavfi', '-i', source, ...extra, '-frames:v', String(count), '-c:v', 'ffv1', '-pix_fmt', 'gbrp', path)
}

/** The k of a frame of {@link numberedFrames}, from the RGB pixels at `offset`. */
export function frameNumber(pixels: Uint8Array, offset = 0): number {
  return Math.floor(pixels[offset]! / 16) + 16 * Math.floor(pixels[offset + 1]! / 16)
}

/** The frames of a video, decoded by ffmpeg alone at their own size. */
export async function decodeFrames(path: string, pixelFormat: string, bytesPerFrame: number): Promise<Buffer[]> {
  const all = await ffmpeg('-i', path, '-map', '0:v:0', '-vsync', 'passthrough', '-pix_fmt', pixelFormat, '-f', 'rawvideo', 'pipe:1')
  return Array.from({ length: all.length / bytesPerFrame }, (_, k) => all.subarray(k * bytesPerFrame, (k + 1) * bytesPerFrame))
}

/** The times in seconds of a video's frames on the file's clock. */
export async function frameTimes(path: string): Promise<number[]> {
  const { video, ...info } = await probe(path)
  const times: number[] = []
  for await (const { time } of readFrames({ ...info, video: video! }, [2, 2])) times.push(time)
  return times
}

/** The command lines of this process's live children that are ffmpeg. */
export async function runningFfmpegs(): Promise<string[]> {
  const commands: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const [status, command] = await Promise.all(['status', 'cmdline'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')))
    if (status!.includes(`\nPPid:\t${process.pid}\n`) && /ffmpeg/.test(command!.split('\0')[0]!)) commands.push(command!)
  }
  return commands
}
