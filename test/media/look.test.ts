import { beforeAll, expect, test } from 'vitest'
import type { MapLook } from '../../lib/maps/paint.ts'
import { createMapVideo } from '../../lib/media/map-video.ts'
import type { MapWriter } from '../../lib/media/map-writer.ts'
import { createOverlay } from '../../lib/media/overlay.ts'
import type { MediaInfo } from '../../lib/media/media-info.ts'
import { probe } from '../../lib/media/probe.ts'
import { decodeFrames, ffmpeg } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

const [width, height, frames] = [96, 64, 4]
const mapSize = [8, 12] as const
let info: MediaInfo
beforeAll(async () => {
  const path = temporaryPath('grey.mkv')
  await ffmpeg('-f', 'lavfi', '-i', `color=0x606060:s=${width}x${height}:r=10:d=${frames / 10}`, '-c:v', 'ffv1', path)
  info = await probe(path)
})

/** Heat on the left half, from `least` to `greatest`. */
const halves = (least: number, greatest: number): Float32Array => Float32Array.from({ length: 96 }, (_, i) => (i % 12 < 6 ? greatest : least))

async function written(writer: MapWriter, path: string, maps: readonly Float32Array[]): Promise<Buffer[]> {
  for (const [frame, map] of maps.entries()) await writer.write(frame, map)
  await writer.finish(maps.length)
  await writer.commit()
  await writer.discard()
  const { video } = await probe(path)
  return decodeFrames(path, 'rgb24', video!.width * video!.height * 3)
}

let number = 0
async function overlay(maps: readonly Float32Array[], look: MapLook, hiding = false): Promise<Buffer[]> {
  const path = temporaryPath(`overlay-${number++}.mkv`)
  return written(await createOverlay(path, info, mapSize, { look, hiding }), path, maps)
}

const at = (frame: Buffer, x: number, y: number, across = width): number[] => [...frame.subarray((y * across + x) * 3, (y * across + x) * 3 + 3)]
/** How far a pixel is from the grey of the video. */
const heat = (frame: Buffer, x: number, y = 32, across = width): number => Math.max(...at(frame, x, y, across).map((value) => Math.abs(value - 0x60)))

test('by default no heat is painted where there is none', async () => {
  const cold = await overlay([halves(0, 3e-6), halves(0.4, 0.4), halves(0, 0)], {})
  for (const frame of cold) for (const x of [4, 20, 80]) expect(heat(frame, x), `${x}`).toBeLessThan(6)
  const each = await overlay([halves(0, 3e-6)], { scale: 'each' })
  expect(heat(each[0]!, 20)).toBeGreaterThan(80)
})

test('of a video the same height has the same colour, once its liveliest frame was there', async () => {
  const [before, lively, after] = await overlay([halves(0, 0.25), halves(0, 1), halves(0, 0.25)], {})
  expect(heat(before!, 20)).toBeGreaterThan(80)
  expect(heat(lively!, 20)).toBeGreaterThan(80)
  expect(heat(after!, 20)).toBeLessThan(heat(lively!, 20) / 2)
  expect(heat(after!, 20)).toBeGreaterThan(6)
  const fixed = await overlay([halves(0, 0.25), halves(0, 1), halves(0, 0.25)], { scale: [0, 1] })
  expect(Math.abs(heat(fixed[0]!, 20) - heat(fixed[2]!, 20))).toBeLessThan(8)
})

test('frames between two maps have levels between theirs', async () => {
  const path = temporaryPath('between.mkv')
  const writer = await createMapVideo(path, info, mapSize, info.video!.rate)
  await writer.write(0, halves(0, 0.2))
  await writer.write(2, halves(0, 0.8))
  await writer.write(4, halves(0, 0))
  await writer.finish(5)
  await writer.commit()
  await writer.discard()
  const levels = (await decodeFrames(path, 'rgb24', width * height * 3)).map((frame) => at(frame, 20, 32)[0]!)
  for (const [k, level] of [255, 255, 255, 127, 0].entries()) expect(Math.abs(levels[k]! - level), `${k}`).toBeLessThan(8)
})

test('the opacity and the colours are those that were asked for', async () => {
  const [turbo] = await overlay([halves(0, 1)], { colourMap: 'turbo', opacity: 1 })
  const [red, green, blue] = at(turbo!, 20, 32)
  expect(Math.abs(red! - 0x7a) + Math.abs(green! - 4) + Math.abs(blue! - 3)).toBeLessThan(40)
  const [faint] = await overlay([halves(0, 1)], { opacity: 0.1 })
  expect(heat(faint!, 20)).toBeLessThan(25)
})

test('lines are drawn where the level is, at the size of the frame', async () => {
  const ramp = Float32Array.from({ length: 96 }, (_, i) => (i % 12) / 11)
  const [lined] = await overlay([ramp], { contours: [0.5], opacity: 0 })
  const row = Array.from({ length: width }, (_, x) => at(lined!, x, 32)[0]!)
  const bright = row.flatMap((value, x) => (value > 180 ? [x] : []))
  expect(bright.length).toBeGreaterThan(0)
  expect(bright.length).toBeLessThan(5)
  for (const x of bright) expect(Math.abs(x - 47.5)).toBeLessThan(3)
})

test('side by side: the video as it is, and the overlay', async () => {
  const [both] = await overlay([halves(0, 1)], { sideBySide: true })
  expect(both).toHaveLength(2 * width * height * 3)
  for (const x of [4, 20, 80]) expect(heat(both!, x, 32, 2 * width), `${x}`).toBeLessThan(6)
  expect(heat(both!, width + 20, 32, 2 * width)).toBeGreaterThan(80)
  expect(heat(both!, width + 80, 32, 2 * width)).toBeLessThan(6)
})

test('side by side: the video as it is, and the maps alone', async () => {
  const [both] = await overlay([halves(0, 1)], { sideBySide: true }, true)
  expect(heat(both!, 20, 32, 2 * width)).toBeLessThan(6)
  expect(
    [at(both!, width + 20, 32, 2 * width), at(both!, width + 80, 32, 2 * width)].map(([red]) => (red! > 240 ? 'white' : red! < 15 ? 'black' : red)),
  ).toEqual(['white', 'black'])
})

test('a video of the maps takes colours and lines, and is grey without', async () => {
  const video = async (look: MapLook): Promise<Buffer> => {
    const path = temporaryPath(`maps-${number++}.mkv`)
    const [frame] = await written(await createMapVideo(path, info, mapSize, info.video!.rate, { look }), path, [halves(0, 1)])
    return frame!
  }
  expect(at(await video({}), 20, 32)[0]).toBeGreaterThan(240)
  const [red, green, blue] = at(await video({ colourMap: 'viridis' }), 80, 32)
  expect(Math.abs(red! - 0x44) + Math.abs(green! - 1) + Math.abs(blue! - 0x54)).toBeLessThan(40)
  expect(at(await video({ contours: [0.5] }), 48, 32)[0]).toBeGreaterThan(100)
})
