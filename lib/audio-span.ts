import { describe, invalidArgumentText } from './errors.ts'
import { log } from './log.ts'
import { checkNumber } from './checks/options.ts'

/** Frames a second of usual videos. What is outside, where nobody says so, is rather a sound of another length than the clip's. */
const usual = [12, 250] as const

/** Frames a second that can be said. */
export function checkFps(argument: string, fps: unknown): number {
  return checkNumber(argument, fps, 0.01, 10_000)
}

/** Configurations for whose clips it was said already. */
const warned = new WeakSet<object>()

/**
 * Looks whether a clip's sound lasts as long as its frames. Where `fps` is told, another length is refused (to half a frame); where not,
 * a length that no usual video has is warned about, once a model. Silence may be of any length.
 */
export function checkSpan(
  argument: string,
  { samples, sampleRate, fps }: { readonly samples: Float32Array; readonly sampleRate: number; readonly fps?: number | undefined },
  config: { readonly clipLength: number },
): void {
  const { clipLength } = config
  const seconds = samples.length / sampleRate
  if (fps !== undefined) {
    const expected = clipLength / fps
    if (Math.abs(seconds - expected) <= 0.5 / fps + 1 / sampleRate) return
    const wanted = `the clip's own sound, ${text(expected)} s (${clipLength} frames at ${text(fps)} a second; clipAt cuts it)`
    throw invalidArgumentText(`${argument}.samples`, wanted, `${describe(samples)}, ${text(seconds)} s,`)
  }
  const rate = clipLength / seconds
  if ((rate >= usual[0] && rate <= usual[1]) || warned.has(config) || samples.every((value) => value === 0)) return
  warned.add(config)
  log(
    'warn',
    `'${argument}' lasts ${text(seconds)} s, as ${clipLength} frames do at ${text(rate)} a second. The sound of a clip must be its own, ` +
      `${clipLength} / fps seconds: with more or less the map is wrong. clipAt cuts it; give audio.fps if this is right.`,
  )
}

const text = (value: number): string => String(Number(value.toPrecision(4)))
