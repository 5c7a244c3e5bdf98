import { AsyncLocalStorage } from 'node:async_hooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DiffSal, setLogger } from '../lib/index.ts'
import { temporaryPath } from './support/temporary.ts'
import { lightConfig } from './support/tiny-config.ts'
import { tinyInputs } from './support/tiny-inputs.ts'
import { ffmpeg, picture } from './support/media.ts'

// What a server keeps by request: whoever is called back finds the call that it belongs to.
const request = new AsyncLocalStorage<string>()
const { frames, mel } = tinyInputs()
const [path, video] = [temporaryPath('model.safetensors'), temporaryPath('mute.mp4')]
let model: DiffSal

beforeAll(async () => {
  model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
  await model.save(path)
  await ffmpeg(...picture('64x64', '10', 0.5), video)
})
afterAll(async () => {
  setLogger(undefined)
  await model.dispose()
})

test('onProgress is called in the context of its call, others at the same time or not', async () => {
  const seen: Record<string, (string | undefined)[]> = { first: [], second: [] }
  const predict = (name: string) =>
    request.run(name, () => model.predict({ frames, mel }, { steps: 3, onProgress: () => seen[name]!.push(request.getStore()) }))
  await Promise.all([predict('first'), predict('second')])
  expect(seen).toEqual({ first: Array(3).fill('first'), second: Array(3).fill('second') })
})

test("a video's onProgress, too", async () => {
  const seen = new Set<string | undefined>()
  await request.run('video', async () => {
    for await (const _ of model.predictVideo(video, { stride: 2, steps: 1, videoOnly: true, onProgress: () => seen.add(request.getStore()) }));
  })
  expect(seen).toEqual(new Set(['video']))
})

test('a message is told in the context of the call that it is about', async () => {
  const seen: [string, string | undefined][] = []
  setLogger((_, message) => seen.push([message.slice(0, 6), request.getStore()]))
  await request.run('load', async () => (await DiffSal.load(path)).dispose())
  await request.run('video', async () => {
    for await (const _ of model.predictVideo(video, { stride: 5, steps: 1 }));
  })
  expect(seen).toEqual([
    ['device', 'load'],
    [`'${video.slice(0, 5)}`, 'video'],
  ])
})
