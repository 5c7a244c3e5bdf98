import { invalidArgument } from '../errors.ts'
import { checkChoice, checkNumber, checkOptions, orUsual, reading } from '../checks/options.ts'
import { GazeRecording, type GazeLook } from './recording.ts'
import { centimetresOf, checkPicture, checkScreen, videoArea, viewedScreen, type GazeScreen, type PictureSize } from './screen.ts'

/** How fixations are found in samples, after Salvucci and Goldberg (2000). */
export interface FixationOptions {
  /** 'ivt': what moves slower than a velocity; 'idt': what stays within a dispersion for a while. */
  method: 'ivt' | 'idt'
  /** Of I-VT: degrees a second, from which on the eye is taken to jump. Default 30. */
  velocity?: number | undefined
  /**
   * Of I-VT: over how many milliseconds around a sample its velocity is taken, so that noise between two samples does not count as a jump. 0 takes it
   * from the sample before, as published. Default 20.
   */
  window?: number | undefined
  /** Of I-DT: degrees, the greatest width and height of a fixation added together. Default 1. */
  dispersion?: number | undefined
  /** The least milliseconds of a fixation. Default 60 of I-VT, 100 of I-DT. */
  minDuration?: number | undefined
  /** Milliseconds without a sample that end a fixation: a blink, a loss of track. Default 75. */
  gap?: number | undefined
}

/** {@link FixationOptions} with nothing left open. */
type FixationPlan = Required<{ [K in keyof FixationOptions]: NonNullable<FixationOptions[K]> }>

/** A sample with its place in centimetres from the middle of the screen. */
interface Sample {
  readonly look: GazeLook
  readonly x: number
  readonly y: number
}

/** The names of {@link FixationOptions}. */
export const fixationNames = ['method', 'velocity', 'window', 'dispersion', 'minDuration', 'gap'] as const

/** Checks how fixations are found. */
export function checkFixationOptions(argument: string, given: FixationOptions): FixationPlan {
  const options = checkOptions<FixationOptions>(argument, given, fixationNames)
  const method = checkChoice(`${argument}.method`, options.method, ['ivt', 'idt'])
  for (const name of method === 'ivt' ? (['dispersion'] as const) : (['velocity', 'window'] as const)) {
    if (options[name] !== undefined) throw invalidArgument(`${argument}.${name}`, `left out with the method '${method}'`, options[name])
  }
  return {
    method,
    velocity: checkNumber(`${argument}.velocity`, orUsual(options.velocity, 30), 0.1, 10_000),
    window: checkNumber(`${argument}.window`, orUsual(options.window, 20), 0, 1000),
    dispersion: checkNumber(`${argument}.dispersion`, orUsual(options.dispersion, 1), 0.01, 90),
    minDuration: checkNumber(`${argument}.minDuration`, orUsual(options.minDuration, method === 'ivt' ? 60 : 100), 0, 10_000),
    gap: checkNumber(`${argument}.gap`, orUsual(options.gap, 75), 1, 10_000),
  }
}

/**
 * The fixations in a recording of samples. Each lies at the mean of its samples, and lasts from its first sample until the one after its last.
 *
 * @param recording - a look a sample, as `readGaze` gives a table of samples
 * @param options - the method and its thresholds
 * @param screen - with `widthCm` and `distanceCm`: thresholds are in degrees
 * @param picture - the video's size, where `screen.video` needs it
 * @returns a look a fixation; without any it has no looks
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function findFixations(recording: GazeRecording, options: FixationOptions, screen: GazeScreen, picture?: PictureSize): GazeRecording {
  if (!reading('recording', 'a GazeRecording', () => recording instanceof GazeRecording)) throw invalidArgument('recording', 'a GazeRecording', recording)
  const plan = checkFixationOptions('options', options)
  const viewed = viewedScreen('screen', screen === undefined ? undefined : checkScreen('screen', screen), 'degrees')
  const size = picture === undefined ? undefined : checkPicture('picture', picture)
  const place = centimetresOf(viewed, videoArea('screen', viewed, size))
  const viewers = new Map<string, Sample[]>(recording.viewers.map((viewer) => [viewer, []]))
  for (const look of recording.looks) viewers.get(look.viewer)!.push({ look, ...place(look) })
  const find = plan.method === 'ivt' ? byVelocity : byDispersion
  return new GazeRecording(
    [...viewers.values()].flatMap((samples) => {
      const interval = usualInterval(samples)
      return runsOf(samples, plan.gap).flatMap((run) => find(run, plan, viewed.distanceCm, interval))
    }),
  )
}

/** Parts of samples between which nothing was recorded for long. */
function runsOf(samples: readonly Sample[], gap: number): Sample[][] {
  const runs: Sample[][] = []
  for (const [i, sample] of samples.entries()) {
    if (i === 0 || sample.look.start - samples[i - 1]!.look.start > gap) runs.push([])
    runs.at(-1)!.push(sample)
  }
  return runs
}

/** I-VT: samples that move slower than the threshold, as long as they follow one another. */
function byVelocity(run: readonly Sample[], { velocity, window, minDuration }: FixationPlan, distance: number, interval: number): GazeLook[] {
  const still = velocities(run, window / 2, distance).map((value) => value < velocity)
  const found: GazeLook[] = []
  for (let from = 0; from < run.length; from++) {
    if (!still[from]) continue
    let to = from
    while (still[to + 1]) to++
    add(found, run, from, to, interval, minDuration)
    from = to
  }
  return found
}

/** Degrees a second at each sample: over all that lie within `reach` of it, but at least from the one before. */
function velocities(run: readonly Sample[], reach: number, distance: number): number[] {
  let [from, to] = [0, 0]
  const values = run.map(({ look }, i) => {
    while (run[from]!.look.start < look.start - reach) from++
    while (to + 1 < run.length && run[to + 1]!.look.start <= look.start + reach) to++
    if (to > from && run[to]!.look.start > run[from]!.look.start) return speed(run[from]!, run[to]!, distance)
    // Two samples may have the same time, where the clock is coarser than the tracker.
    let before = i - 1
    while (before >= 0 && run[before]!.look.start === look.start) before--
    return before < 0 ? Number.NaN : speed(run[before]!, run[i]!, distance)
  })
  // The first has none before it; it goes with the one after.
  for (let i = values.length - 2; i >= 0; i--) if (Number.isNaN(values[i])) values[i] = values[i + 1]!
  return values
}

function speed(one: Sample, other: Sample, distance: number): number {
  return angleBetween(one, other, distance) / ((other.look.start - one.look.start) / 1000)
}

/** The angle between the directions of two places on a screen, in degrees. */
export function angleBetween(one: { readonly x: number; readonly y: number }, other: { readonly x: number; readonly y: number }, distance: number): number {
  const cross = Math.hypot((one.y - other.y) * distance, (other.x - one.x) * distance, one.x * other.y - one.y * other.x)
  return (Math.atan2(cross, one.x * other.x + one.y * other.y + distance * distance) * 180) / Math.PI
}

/** I-DT: from each sample on, as long as all stay within the dispersion; what stays so for long enough is a fixation. */
function byDispersion(run: readonly Sample[], { dispersion, minDuration }: FixationPlan, distance: number, interval: number): GazeLook[] {
  const degrees = (length: number) => (Math.atan(length / distance) * 180) / Math.PI
  const across = run.map(({ x }) => degrees(x))
  const down = run.map(({ y }) => degrees(y))
  const found: GazeLook[] = []
  for (let from = 0; from < run.length; ) {
    let [left, right, top, bottom] = [across[from]!, across[from]!, down[from]!, down[from]!]
    let to = from
    for (let next = from + 1; next < run.length; next++) {
      ;[left, right] = [Math.min(left, across[next]!), Math.max(right, across[next]!)]
      ;[top, bottom] = [Math.min(top, down[next]!), Math.max(bottom, down[next]!)]
      if (right - left + (bottom - top) > dispersion) break
      to = next
    }
    from = add(found, run, from, to, interval, minDuration) ? to + 1 : from + 1
  }
  return found
}

/** Adds samples `from` to `to` as a fixation, unless they are too short. */
function add(found: GazeLook[], run: readonly Sample[], from: number, to: number, interval: number, minDuration: number): boolean {
  const samples = run.slice(from, to + 1)
  const { start, viewer } = samples[0]!.look
  const duration = (run[to + 1]?.look.start ?? run[to]!.look.start + Math.min(interval, run[to]!.look.duration)) - start
  if (duration < minDuration) return false
  const mean = (axis: 'x' | 'y') => samples.reduce((sum, { look }) => sum + look[axis], 0) / samples.length
  found.push({ viewer, x: mean('x'), y: mean('y'), start, duration })
  return true
}

/** The median of the times between samples. */
function usualInterval(samples: readonly Sample[]): number {
  const intervals = samples
    .slice(1)
    .map(({ look }, i) => look.start - samples[i]!.look.start)
    .sort((a, b) => a - b)
  return intervals[Math.floor(intervals.length / 2)] ?? 0
}
