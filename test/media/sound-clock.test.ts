import { expect, test } from 'vitest'
import { SoundClock } from '../../lib/media/sound-clock.ts'

const rate = 16_000

/** Places pieces of 20 ms, each full of its number from 1; `start` gives their times in seconds. Gives where each begins, in samples. */
function placed(count: number, start: (k: number) => number): { begins: number[]; length: number; kept: number } {
  const clock = new SoundClock(rate)
  const all: number[] = []
  for (let k = 0; k < count; k++) {
    for (const part of clock.push({ samples: new Float32Array(320).fill(k + 1), start: Math.round(start(k) * rate) })) all.push(...part)
  }
  for (const part of clock.end()) all.push(...part)
  expect(clock.position).toBe(all.length)
  return { begins: Array.from({ length: count }, (_, k) => all.indexOf(k + 1)), length: all.length, kept: all.filter((value) => value !== 0).length }
}

test('pieces that follow each other', () => {
  expect(placed(100, (k) => k * 0.02)).toMatchObject({ length: 32_000, kept: 32_000 })
})

test('silence before the first, and what is before time 0 is left out', () => {
  expect(placed(50, (k) => 0.5005 + k * 0.02).begins[0]).toBe(8008)
  const early = placed(50, (k) => -0.05 + k * 0.02)
  expect(early.begins.slice(0, 5)).toEqual([-1, -1, 0, 160, 480])
})

test('a gap is filled, an overlap cut', () => {
  const gap = placed(100, (k) => k * 0.02 + (k >= 40 ? 0.3 : 0))
  expect(gap.begins[40]! / rate).toBeCloseTo(1.1, 6)
  expect(gap.kept).toBe(32_000)
  const overlap = placed(100, (k) => k * 0.02 - (k >= 40 ? 0.2 : 0))
  expect(overlap.begins[60]! / rate).toBeCloseTo(1, 6)
  expect(overlap.length).toBe(32_000 - 3200)
})

test('a small gap that stays is filled where it is', () => {
  const { begins, length } = placed(100, (k) => k * 0.02 + (k >= 40 ? 0.05 : 0))
  expect(begins[40]! / rate).toBeCloseTo(0.85, 6)
  expect(length).toBe(32_800)
})

test('times that tremble, or run ahead within a packet, leave the sound whole', () => {
  expect(placed(200, (k) => k * 0.02 + (k % 3) * 0.006)).toMatchObject({ length: 64_000, kept: 64_000 })
  // As a demuxer tells the frames of one packet from another codec's length: up to 55 ms too early, until the next packet.
  expect(placed(200, (k) => Math.floor(k / 5) * 0.1 + (k % 5) * 0.009)).toMatchObject({ length: 64_000, kept: 64_000 })
})

test('an enormous gap is given in parts', () => {
  const clock = new SoundClock(rate)
  const lengths = [...clock.push({ samples: new Float32Array(16_000), start: 1_000_000 }), ...clock.end()].map(({ length }) => length)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(1 << 16)
  expect(lengths.reduce((sum, each) => sum + each, 0)).toBe(1_016_000)
})
