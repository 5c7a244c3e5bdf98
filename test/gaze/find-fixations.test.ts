import { expect, test } from 'vitest'
import { angleBetween, findFixations } from '../../lib/gaze/find-fixations.ts'
import { GazeRecording, type GazeLook } from '../../lib/gaze/recording.ts'
import { shareOfDegrees, type GazeScreen } from '../../lib/gaze/screen.ts'
import { Random } from '../../lib/random/random.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

/** One degree in the middle is 1 cm, which is 10 pixels: tan 1° × 57.29 cm. */
const screen: GazeScreen = { width: 1000, height: 500, widthCm: 100, heightCm: 50, distanceCm: 1 / Math.tan(Math.PI / 180) }

/** Samples at whole degrees from the middle, 10 ms apart where no time is given. */
const samplesOf = (places: readonly (readonly [x: number, y: number, time?: number] | undefined)[]): GazeRecording =>
  new GazeRecording(
    places.flatMap((place, i): GazeLook[] =>
      place
        ? [
            {
              viewer: 'a',
              x: 0.5 + shareOfDegrees(Math.abs(place[0]) || 1e-3, screen) * Math.sign(place[0]),
              y: 0.5 + place[1] / 50,
              start: place[2] ?? i * 10,
              duration: 10,
            },
          ]
        : [],
    ),
  )

const looksOf = ({ looks }: GazeRecording) => looks.map(({ start, duration, x }) => [Math.round(start), Math.round(duration), Math.round(x * 1000) / 1000])

test('I-VT as calculated by hand: 0.1° in 10 ms is 10°/s and stays, 5° in 10 ms is 500°/s and jumps', () => {
  const xs = [0, 0.1, 0.2, 0.1, 0, 5, 5.1, 5, 5.1, 5]
  const found = findFixations(samplesOf(xs.map((x) => [x, 0])), { method: 'ivt', velocity: 30, window: 0, minDuration: 0 }, screen)
  // Samples 0 to 4; then number 5 is the jump's own, whose velocity is that of the 500°/s before it; 6 to 9.
  const mean = (values: readonly number[]) => 0.5 + values.reduce((sum, x) => sum + Math.tan((x * Math.PI) / 180) * screen.distanceCm!, 0) / values.length / 100
  expect(looksOf(found)).toEqual([
    [0, 50, Math.round(mean([0, 0.1, 0.2, 0.1, 0]) * 1000) / 1000],
    [60, 40, Math.round(mean([5.1, 5, 5.1, 5]) * 1000) / 1000],
  ])
  // At a threshold of 600°/s all is one; at 5°/s nothing stays but the pairs that do not move.
  expect(looksOf(findFixations(samplesOf(xs.map((x) => [x, 0])), { method: 'ivt', velocity: 600, window: 0, minDuration: 0 }, screen))).toHaveLength(1)
  expect(looksOf(findFixations(samplesOf(xs.map((x) => [x, 0])), { method: 'ivt', velocity: 5, window: 0, minDuration: 0 }, screen))).toHaveLength(0)
  expect(looksOf(findFixations(samplesOf(xs.map((x) => [x, 0])), { method: 'ivt', window: 0, minDuration: 45 }, screen))).toHaveLength(1)
})

test('I-DT as calculated by hand: width and height of 0.6° + 0.5° are beyond 1°, and a fixation grows until then', () => {
  const places = [
    [0, 0],
    [0.3, 0.2],
    [0.6, 0.3],
    [0.6, 0.5],
    [3, 0],
    [3.1, 0],
    [3.1, 0.1],
  ] as const
  const found = findFixations(samplesOf(places), { method: 'idt', dispersion: 1, minDuration: 30 }, screen)
  expect(looksOf(found).map(([start, duration]) => [start, duration])).toEqual([
    [0, 30],
    [40, 30],
  ])
  expect(looksOf(findFixations(samplesOf(places), { method: 'idt', dispersion: 1.2, minDuration: 30 }, screen)).map(([, duration]) => duration)).toEqual([
    40, 30,
  ])
})

test('a gap ends a fixation; samples of one time are no endless jump', () => {
  const still = Array.from({ length: 12 }, (_, i) => [0, 0, i < 6 ? i * 10 : 300 + i * 10] as const)
  for (const method of ['ivt', 'idt'] as const) {
    expect(looksOf(findFixations(samplesOf(still), { method, minDuration: 50 }, screen)).map(([start, duration]) => [start, duration])).toEqual([
      [0, 60],
      [360, 60],
    ])
  }
  const twice = samplesOf([
    [0, 0, 0],
    [0.1, 0, 0],
    [0, 0, 1],
    [0.01, 0, 1],
    [0, 0, 2],
    [0, 0, 2],
  ])
  expect(findFixations(twice, { method: 'ivt', velocity: 120, window: 0, minDuration: 0 }, screen).looks).toHaveLength(1)
})

test('an angle is that between two directions', () => {
  expect(angleBetween({ x: 0, y: 0 }, { x: 1, y: 0 }, 1)).toBeCloseTo(45, 10)
  expect(angleBetween({ x: -1, y: 0 }, { x: 1, y: 0 }, 1)).toBeCloseTo(90, 10)
  // By the dot product: 3-4-5 in the screen's plane, 12 away.
  expect(angleBetween({ x: 3, y: 4 }, { x: 3, y: -4 }, 12)).toBeCloseTo((Math.acos((9 - 16 + 144) / 169) * 180) / Math.PI, 10)
})

test('a simulated eye: fixations, saccades and noise of a tracker of 500 Hz, and its fixations are found', () => {
  const random = new Random(4, 0)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
  for (const method of ['ivt', 'idt'] as const) {
    // I-DT may begin in the end of a saccade, a degree away: noise there would part the fixation in two, as the method is.
    const noise = method === 'ivt' ? 0.02 : 0.002
    const truth: { start: number; end: number; x: number; y: number }[] = []
    const looks: GazeLook[] = []
    let [time, x, y] = [0, 0, 0]
    for (let i = 0; i < 60; i++) {
      const [start, end] = [time, time + 150 + random.below(300)]
      for (; time < end; time += 2) looks.push(sample(time, x + noise * normal(), y + noise * normal()))
      truth.push({ start, end: time, x, y })
      // A saccade of a few degrees: its speed rises and falls, some 100 to 300°/s.
      const [toX, toY] = [x > 0 ? x - 3 - 5 * random.next() : x + 3 + 5 * random.next(), -y + random.next()]
      const length = 20 + 2.5 * Math.hypot(toX - x, toY - y)
      const [fromX, fromY, from] = [x, y, time]
      for (; time < from + length; time += 2) {
        const share = (1 - Math.cos((Math.PI * (time - from)) / length)) / 2
        looks.push(sample(time, fromX + share * (toX - fromX), fromY + share * (toY - fromY)))
      }
      ;[x, y] = [toX, toY]
    }
    const found = findFixations(new GazeRecording(looks), { method }, screen).looks
    expect(found).toHaveLength(truth.length)
    for (const [i, { start, end, x: across, y: down }] of truth.entries()) {
      const place = sample(0, across, down)
      expect(Math.abs(found[i]!.start - start)).toBeLessThanOrEqual(16)
      expect(Math.abs(found[i]!.start + found[i]!.duration - end)).toBeLessThanOrEqual(16)
      // 0.15° of 100 cm; of height half as many.
      expect(Math.abs(found[i]!.x - place.x)).toBeLessThan(0.0015)
      expect(Math.abs(found[i]!.y - place.y)).toBeLessThan(0.003)
    }
  }
})

function sample(start: number, x: number, y: number): GazeLook {
  const share = (degrees: number, cm: number) => 0.5 + (Math.tan((degrees * Math.PI) / 180) * screen.distanceCm!) / cm
  return { viewer: 'a', x: share(x, 100), y: share(y, 50), start, duration: 2 }
}

test('options and the screen are checked', async () => {
  const recording = samplesOf([[0, 0]])
  const bad = (options: object, of: GazeScreen | undefined, ...parts: (string | RegExp)[]) =>
    expectDiffSalError(() => findFixations(recording, options as never, of as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', ...parts)
  await bad({ method: 'hmm' }, screen, 'options.method')
  await bad({ method: 'idt', velocity: 30 }, screen, "'options.velocity' must be left out with the method 'idt'")
  await bad({ method: 'ivt' }, { width: 10, height: 10 }, 'widthCm')
  await bad({ method: 'ivt' }, { ...screen, heightCm: 90 }, /heightCm' must be about 50\.0 cm/)
  await bad({ method: 'ivt', velocity: Number.NaN }, screen, 'options.velocity')
  await bad({ method: 'ivt' }, undefined, "'screen' must be a screen")
})
