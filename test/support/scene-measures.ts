import type { SceneSample } from '../../lib/datasets/scenes.ts'

/** Pearson's correlation. */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length
  const [ma, mb] = [mean(a), mean(b)]
  const product = (x: readonly number[], mx: number, y: readonly number[], my: number): number =>
    x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0)
  return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb))
}

/** How strong a frequency is in samples at 16 kHz (Goertzel). */
export function strength(samples: Float32Array, frequency: number): number {
  const turn = (2 * Math.PI * frequency) / 16_000
  let [before, last] = [0, 0]
  // A Hann window keeps the loud partials from the neighbours' places.
  for (const [i, value] of samples.entries()) {
    const weighted = value * (1 - Math.cos((2 * Math.PI * (i + 0.5)) / samples.length))
    ;[before, last] = [last, weighted + 2 * Math.cos(turn) * last - before]
  }
  return Math.sqrt(Math.max(0, last * last + before * before - 2 * Math.cos(turn) * last * before)) / samples.length
}

/** The frames' shares of a clip's sound. */
export function soundOfFrames(sample: SceneSample): Float32Array[] {
  const [count] = sample.frames.shape as [number]
  const { samples } = sample.audio!
  const share = samples.length / count
  return Array.from({ length: count }, (_, k) => samples.subarray(Math.round(k * share), Math.round((k + 1) * share)))
}

/** The root mean square of each frame's share of the sound. */
export function loudness(sample: SceneSample): number[] {
  return soundOfFrames(sample).map((part) => Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / part.length))
}

/**
 * The area of each shape in every frame, as pixels: the saturated ones, each counted for the shape that is nearest. Shapes move so
 * little in a clip that their places in its middle serve.
 */
export function areas({ frames, shapes }: SceneSample): number[][] {
  const [count, height, width] = frames.shape as [number, number, number]
  const found = shapes.map(() => Array<number>(count).fill(0))
  for (let at = 0; at < count * height * width; at++) {
    const [r, g, b] = frames.data.subarray(3 * at, 3 * at + 3) as unknown as [number, number, number]
    if (Math.max(r, g, b) - Math.min(r, g, b) < 80) continue
    const [x, y] = [(at % width) + 0.5, (Math.floor(at / width) % height) + 0.5]
    const far = shapes.map((shape) => Math.hypot(shape.x - x, shape.y - y))
    found[far.indexOf(Math.min(...far))]![Math.floor(at / (height * width))]! += 1
  }
  return found
}
