import { describe, expect, test } from 'vitest'
import { cameraPath, type CameraLimits, type Sight } from '../../lib/reframe/camera.ts'

const limits: CameraLimits = { keep: 0.9, speed: 1, acceleration: 2 }
const [frame, length] = [1920, 608]

/** A spot of so much mass at a share of the frame. */
function spot(at: number, mass = 1, spread = 0.03): (i: number) => number {
  return (i) => mass * Math.exp(-((((i + 0.5) / 96 - at) / spread) ** 2))
}

function sights(seconds: number, rate: number, ...spots: ((time: number) => (i: number) => number)[]): Sight[] {
  return Array.from({ length: Math.floor(seconds * rate) + 1 }, (_, k) => {
    const time = k / rate
    const sums = Float32Array.from({ length: 96 }, (_, i) => spots.reduce((sum, one) => sum + one(time)(i), 0))
    const whole = sums.reduce((a, b) => a + b, 0)
    return { time, sums: sums.map((one) => one / whole) }
  })
}

/** The greatest speed and acceleration of a path, in lengths, by differences over a fiftieth of a second. */
function greatest(path: (time: number) => number, seconds: number): { speed: number; acceleration: number } {
  const h = 0.02
  let [speed, acceleration] = [0, 0]
  for (let t = h; t < seconds - h; t += h) {
    speed = Math.max(speed, Math.abs(path(t + h) - path(t)) / h / length)
    acceleration = Math.max(acceleration, Math.abs(path(t + h) - 2 * path(t) + path(t - h)) / h ** 2 / length)
  }
  return { speed, acceleration }
}

function inside(path: (time: number) => number, time: number, place: number): boolean {
  return place * frame > path(time) && place * frame < path(time) + length
}

describe('the path of a window', () => {
  test('rests where what it follows rests, on a pixel, in the middle of it', () => {
    const path = cameraPath(
      sights(4, 5, () => spot(0.3)),
      [0, 4],
      frame,
      length,
      limits,
    )
    const places = Array.from({ length: 100 }, (_, k) => path(k / 25))
    expect(new Set(places).size).toBe(1)
    expect(places[0]! % 2).toBe(0)
    expect(Math.abs(places[0]! + length / 2 - 0.3 * frame)).toBeLessThan(20)
  })

  test('does not tremble with what trembles', () => {
    const path = cameraPath(
      sights(6, 25, (t) => spot(0.5 + 0.02 * Math.sin(40 * t))),
      [0, 6],
      frame,
      length,
      limits,
    )
    const places = Array.from({ length: 150 }, (_, k) => path(k / 25))
    expect(Math.max(...places) - Math.min(...places)).toBe(0)
  })

  test.each([
    [1, 2],
    [0.4, 0.5],
    [3, 20],
    [1, 0.1],
    [0.01, 2],
    [50, 100],
  ])('follows one who runs and turns, within a speed of %d and an acceleration of %d', (speed, acceleration) => {
    const moving = sights(10, 12, (t) => spot(0.5 + 0.35 * Math.sin(1.1 * t)))
    const path = cameraPath(moving, [0, 10], frame, length, { keep: 0.9, speed, acceleration })
    const found = greatest(path, 10)
    expect(found.speed).toBeLessThanOrEqual(speed * (1 + 1e-6))
    expect(found.acceleration).toBeLessThanOrEqual(acceleration * (1 + 1e-6))
    if (speed >= 1 && acceleration >= 2) {
      for (let t = 0; t <= 10; t += 0.1) expect(inside(path, t, 0.5 + 0.35 * Math.sin(1.1 * t)), `${t}`).toBe(true)
    }
  })

  test('goes to the one of two who talks, and stays with one where there is no time', () => {
    const talk = (every: number): Sight[] => {
      const loud = (t: number): boolean => Math.floor(t / every) % 2 === 0
      return sights(
        12,
        5,
        (t) => spot(0.2, loud(t) ? 1 : 0.3),
        (t) => spot(0.8, loud(t) ? 0.3 : 1),
      )
    }
    const slow = cameraPath(talk(4), [0, 12], frame, length, limits)
    for (const [time, place] of [
      [1.5, 0.2],
      [2.5, 0.2],
      [5.5, 0.8],
      [6.5, 0.8],
      [9.5, 0.2],
      [10.5, 0.2],
    ] as const)
      expect(inside(slow, time, place), `${time}`).toBe(true)
    const found = greatest(slow, 12)
    expect(found.speed).toBeLessThanOrEqual(1 + 1e-6)
    expect(found.speed).toBeGreaterThan(0.5)
    expect(found.acceleration).toBeLessThanOrEqual(2 + 1e-6)
    const fast = cameraPath(talk(0.4), [0, 12], frame, length, limits)
    expect(greatest(fast, 12).speed).toBeLessThan(0.05)
  })

  test('stays in the frame at its edges', () => {
    const path = cameraPath(
      sights(8, 10, (t) => spot(t < 4 ? 0 : 1)),
      [0, 8],
      frame,
      length,
      { ...limits, speed: 5, acceleration: 20 },
    )
    const places = Array.from({ length: 801 }, (_, k) => path(k / 100))
    expect(Math.min(...places)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...places)).toBeLessThanOrEqual(frame - length)
    expect(places[0]!).toBeLessThan(20)
    expect(places.at(-1)!).toBeGreaterThan(frame - length - 20)
  })

  test('a long shot is planned in parts, without a seam', () => {
    const seconds = 150
    const path = cameraPath(
      sights(seconds, 5, (t) => spot(0.5 + 0.3 * Math.sin(0.7 * t))),
      [0, seconds],
      frame,
      length,
      limits,
    )
    const found = greatest(path, seconds)
    expect(found.speed).toBeLessThanOrEqual(1 + 1e-6)
    expect(found.acceleration).toBeLessThanOrEqual(2 + 1e-6)
    for (let t = 0; t <= seconds; t += 0.5) expect(inside(path, t, 0.5 + 0.3 * Math.sin(0.7 * t)), `${t}`).toBe(true)
  })

  test('a shot of one frame, one without a map, a frame that is no longer than the window, a map of nothing', () => {
    expect(
      cameraPath(
        sights(0, 5, () => spot(0.9)),
        [0, 0],
        frame,
        length,
        limits,
      )(0) +
        length / 2,
    ).toBeGreaterThan(0.8 * frame)
    expect(cameraPath([], [3, 4], frame, length, limits)(3.5)).toBe(656)
    expect(
      cameraPath(
        sights(2, 5, () => spot(0.9)),
        [0, 2],
        608,
        608,
        limits,
      )(1),
    ).toBe(0)
    const nothing = [{ time: 0, sums: new Float32Array(96) }]
    expect(Math.abs(cameraPath(nothing, [0, 2], frame, length, limits)(1) - 656)).toBeLessThanOrEqual(6)
  })
})
