import { readFileSync, writeFileSync } from 'node:fs'
import { setLogger } from '../../lib/log.ts'
import { readFrames } from '../../lib/media/frames.ts'
import type { MediaInfo } from '../../lib/media/media-info.ts'
import { createOverlay } from '../../lib/media/overlay.ts'
import { probe, type ProbeOptions } from '../../lib/media/probe.ts'
import { readSound } from '../../lib/media/sound.ts'

/** A picture that is white for one frame at each whole second of a clock that begins at `start`: at 0.5, first at 0.52 s of the file. */
export function flashing(seconds: number, start: number, size = '160x120'): string[] {
  const white = `drawbox=c=white:t=fill:w=iw:h=ih:enable='lt(mod(t+${start},1),0.039)'`
  return ['-f', 'lavfi', '-i', `color=0x285AA0:s=${size}:r=25:d=${seconds},${white}`]
}

/** A tone of 1 kHz for 40 ms at each whole second of such a clock. */
export function beeping(seconds: number, start: number): string[] {
  return ['-f', 'lavfi', '-i', `aevalsrc='if(lt(mod(t+${start},1),0.04),0.7*sin(2*PI*1000*t),0)':d=${seconds}:s=48000`]
}

export const h264 = ['-c:v', 'libx264', '-crf', '16', '-pix_fmt', 'yuv420p'] as const

/** What a model sees and hears of a file. Times in seconds. */
export interface Look {
  info: MediaInfo
  /** Of every frame. */
  times: number[]
  flashes: number[]
  beeps: number[]
  warnings: string[]
}

export async function look(path: string, options?: ProbeOptions): Promise<Look> {
  const warnings: string[] = []
  setLogger((level, message) => void (level === 'warn' && warnings.push(message)))
  try {
    const info = await probe(path, options)
    const { video, audio } = info
    const [times, flashes, beeps]: [number[], number[], number[]] = [[], [], []]
    if (video) {
      for await (const { pixels, time } of readFrames({ ...info, video }, [24, 32])) {
        times.push(time)
        if (pixels.reduce((sum, value) => sum + value, 0) > 220 * pixels.length) flashes.push(time)
      }
    }
    if (audio) {
      let [at, last] = [0, Number.NEGATIVE_INFINITY]
      for await (const samples of readSound({ ...info, audio })) {
        for (const value of samples) {
          if (Math.abs(value) > 0.1) {
            if (at - last > 1600) beeps.push(at / 16_000)
            last = at
          }
          at += 1
        }
      }
    }
    return { info, times, flashes, beeps, warnings }
  } finally {
    setLogger(undefined)
  }
}

/** Lays clear maps over all frames of what was looked at, and looks at the result. */
export async function lookAtOverlay({ info, times }: Look, path: string): Promise<Look> {
  const writer = await createOverlay(path, info, [24, 32])
  try {
    for (const [k, time] of times.entries()) await writer.write(k, new Float32Array(24 * 32), [time])
    await writer.finish(times.length)
    await writer.commit()
  } finally {
    await writer.discard()
  }
  return look(path)
}

/** One file after the other. */
export function join(path: string, ...parts: string[]): void {
  writeFileSync(path, Buffer.concat(parts.map((part) => readFileSync(part))))
}
