import { readFileSync } from 'node:fs'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clipAt, cropVideo, DiffSal, maps, type VideoMap } from '../../lib/index.ts'
import { look } from '../support/flashes.ts'
import { runningFfmpegs } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

// What people do with a map, with the weights that load by default, on a second of a real clip that comes as bytes.
const bytes = readFileSync('examples/speaker.mp4')
const options = { seed: 1, steps: 1, stride: 6, start: 1, end: 2 } as const
let model: DiffSal
let predicted: VideoMap[]

beforeAll(async () => {
  model = await DiffSal.load()
  predicted = []
  for await (const map of model.predictVideo(bytes, options)) predicted.push(map)
})
afterAll(async () => {
  await model?.dispose()
  expect(await runningFfmpegs()).toEqual([])
})

test('predictVideo gives the maps of the part, and a clip that clipAt cuts has the same map, bit for bit', async () => {
  expect(predicted.map(({ frame }) => frame)).toEqual([30, 36, 42, 48, 54])
  const { size, clipLength, gazeDelay } = model.config
  const clip = await clipAt(bytes, 42, { size, clipLength, gazeDelay })
  const map = await model.predict(clip, { seed: 1, steps: 1 })
  // As bytes: where numbers differ, it takes minutes to tell which.
  expect(Buffer.compare(Buffer.from(map.data.buffer), Buffer.from(Float32Array.from(predicted[2]!.tensor.data).buffer))).toBe(0)
})

test('reframe holds what the maps are about, and cropVideo writes the part', async () => {
  const found = await model.reframe(bytes, { ...options, aspect: '9:16' })
  expect([found.start, found.end, found.frames.length, found.frames[0]!.frame]).toEqual([1, 2, 30, 30])
  // What is in the window of what the best one of that map could hold.
  for (const { frame, tensor, size } of predicted) {
    const [, , height, width] = tensor.shape as [number, number, number, number]
    const within = (x: number): number =>
      tensor.data.reduce(
        (sum, value, i) => sum + (Math.abs((((i % width) + 0.5) / width) * size[1] - x - found.window[1] / 2) < found.window[1] / 2 ? value : 0),
        0,
      )
    const best = maps.cropWindow({ ...tensor, shape: [height, width] }, found.window[1] / found.window[0], { size })
    expect(within(found.frames[frame - 30]!.x) / within(best.x), `${frame}`).toBeGreaterThan(0.7)
  }
  const output = temporaryPath('upright.mp4')
  await cropVideo(bytes, found, output)
  const { info, times } = await look(output)
  expect(info.video).toMatchObject({ width: 202, height: 360 })
  expect(info.audio).toMatchObject({ codec: 'aac' })
  expect(times).toHaveLength(30)
})

test('thumbnails are cropped to it, and quality regions lie on it', async () => {
  const [picture] = await model.thumbnails(bytes, { ...options, aspect: '1:1', format: 'jpeg' })
  expect([30, 36, 42, 48, 54]).toContain(picture!.frame)
  expect(await sharp(picture!.data).metadata()).toMatchObject({ format: 'jpeg', width: 360, height: 360 })
  const { segments } = await model.qualityRegions(bytes, options)
  expect(segments[0]).toMatchObject({ frame: 30, frames: 30 })
  const best = segments[0]!.regions.filter(({ offset }) => offset === -0.1)
  for (const { frame, tensor, size } of predicted) {
    const [peak] = maps.peaks(tensor, { count: 1, size })
    expect(
      best.some(({ x, y, width, height }) => x <= peak!.x && peak!.x < x + width && y <= peak!.y && peak!.y < y + height),
      JSON.stringify({ frame, best, peak }),
    ).toBe(true)
  }
})

test('listen looks at frames of the part', async () => {
  const { frames, verdict } = await model.listen(bytes, { frames: 2, seed: 1, steps: 1, start: 1, end: 2 })
  expect(frames.every(({ time }) => time >= 1 && time < 2)).toBe(true)
  expect(['hears', 'does not hear']).toContain(verdict)
})
