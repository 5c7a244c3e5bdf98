import type { SoundInfo, VideoInfo } from '../media/media-info.ts'
import { readFrames } from '../media/frames.ts'
import type { ReadOptions } from '../media/opened.ts'
import { rationalValue } from '../media/rational.ts'
import { readSound, soundRate } from '../media/sound.ts'
import { ShotDetector, sizeForShots, type ShotStart } from '../shots/shot-detector.ts'

/** A shot as a page marks it. */
export interface ViewShot {
  readonly begins: ShotStart
  /** Seconds. */
  readonly start: number
}

/** The times of a video's frames, and its shots: it is decoded once, small, before the prediction. */
export async function lookThrough(info: VideoInfo, options: ReadOptions): Promise<{ readonly times: readonly number[]; readonly shots: readonly ViewShot[] }> {
  const detector = new ShotDetector(sizeForShots, rationalValue(info.video.rate))
  const times: number[] = []
  for await (const { pixels, time } of readFrames(info, sizeForShots, options)) {
    times.push(time)
    detector.add(pixels)
  }
  detector.end()
  return { times, shots: detector.starts.map(({ frame, how }) => ({ begins: how, start: times[frame]! })) }
}

/** Parts of the wave in a second. */
export const waveRate = 50

/** How far the sound goes in each fiftieth of a second, 255 for full scale. */
export async function waveOf(info: SoundInfo, options: ReadOptions): Promise<Uint8Array> {
  const part = soundRate / waveRate
  const wave: number[] = []
  let [filled, greatest] = [0, 0]
  for await (const samples of readSound(info, options)) {
    for (const sample of samples) {
      greatest = Math.max(greatest, Math.abs(sample))
      if (++filled < part) continue
      wave.push(greatest)
      ;[filled, greatest] = [0, 0]
    }
  }
  if (filled > 0) wave.push(greatest)
  return Uint8Array.from(wave, (value) => Math.min(255, Math.round(value * 255)))
}
