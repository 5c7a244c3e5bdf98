import type { AudioExcerpt } from '../inputs.ts'
import { mediaError } from '../media/local-file.ts'
import { probe } from '../media/probe.ts'
import type { Rational } from '../media/rational.ts'
import { readSound, soundRate } from '../media/sound.ts'
import { LruCache } from './lru-cache.ts'
import { WavFile } from './wav.ts'

/** Mono sound of which any part can be read. */
export interface SoundSource {
  /** Samples a second. */
  readonly sampleRate: number
  /** How many samples there are. */
  readonly length: number
  /** Samples `from` … `to` − 1; zero before the start and after the end. */
  read(from: number, to: number): Promise<Float32Array>
}

/**
 * Opens a sound: a `.wav` of plain numbers is read in parts; of anything else that ffmpeg reads (another coding, a video), the whole
 * sound is decoded to 16 kHz and held.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_MEDIA, ERR_DIFFSAL_FFMPEG_MISSING.
 */
export async function openSound(path: string): Promise<SoundSource> {
  return (await WavFile.open(path)) ?? decodeSound(path)
}

async function decodeSound(path: string): Promise<SoundSource> {
  const info = await probe(path)
  const { audio } = info
  if (audio === null) throw mediaError(path, 'has no sound in it')
  const chunks: Float32Array[] = []
  for await (const chunk of readSound({ ...info, audio })) chunks.push(chunk)
  const whole = new Float32Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return {
    sampleRate: soundRate,
    length: whole.length,
    async read(from, to) {
      const samples = new Float32Array(to - from)
      const first = Math.max(from, 0)
      if (first < Math.min(to, whole.length)) samples.set(whole.subarray(first, Math.min(to, whole.length)), first - from)
      return samples
    },
  }
}

/** The sounds that were used last. A decoded one takes 4 MB a minute; a `.wav` nothing but its header. */
export class SoundCache {
  readonly #sounds = new LruCache<string, SoundSource>(64)

  /** As {@link openSound}. */
  open(path: string): Promise<SoundSource> {
    return this.#sounds.get(path, () => openSound(path))
  }
}

/**
 * What is heard with the clip of frame k: from half a frame before its first frame to half a frame after its last one, on the
 * clock of a sound in which frame 0 is shown after `begin` seconds.
 */
export async function clipSound(sound: SoundSource, frame: number, clipLength: number, rate: Rational, begin = 0): Promise<AudioExcerpt> {
  const first = frame - Math.floor(clipLength / 2)
  const { sampleRate } = sound
  const before = Math.round(begin * sampleRate)
  const from = before + sampleAt(2 * first - 1, rate, sampleRate)
  const to = before + sampleAt(2 * (first + clipLength) - 1, rate, sampleRate)
  return { samples: await sound.read(from, to), sampleRate }
}

/** Silence as long as a clip: what is heard where there is no sound. */
export function clipSilence(clipLength: number, rate: Rational): AudioExcerpt {
  return { samples: new Float32Array(sampleAt(2 * clipLength, rate, soundRate)), sampleRate: soundRate }
}

/** The sample nearest to `halves` half frames after frame 0. */
function sampleAt(halves: number, { num, den }: Rational, sampleRate: number): number {
  return Math.round((halves * den * sampleRate) / (2 * num))
}
