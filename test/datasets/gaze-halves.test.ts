import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { datasets } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

let root: string
let set: datasets.GazeSet

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'gaze-'))
  const picture = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#888' } })
    .png()
    .toBuffer()
  // In one picture all look at one place, in the other each at a place of their own.
  const corners = [
    [0.1, 0.1],
    [0.9, 0.1],
    [0.1, 0.9],
    [0.9, 0.9],
  ] as const
  const fixations = {
    'agree.png': corners.map((_, i) => [`v${i}`, 0.25, 0.5, 200]),
    'differ.png': corners.map(([x, y], i) => [`v${i}`, x, y, 200]),
  }
  for (const name of Object.keys(fixations)) await writeFile(join(root, name), picture)
  await writeFile(join(root, 'fixations.json'), JSON.stringify(fixations))
  set = await datasets.openGaze(root, { split: 'test', size: [48, 64], clipLength: 8 })
})
afterAll(() => rm(root, { recursive: true }))

const named = (picture: string) => set.videos.find((name) => name.endsWith(picture))!

it('tells viewers, frames and sizes', async () => {
  expect(set.viewers(named('differ.png'))).toEqual(['v0', 'v1', 'v2', 'v3'])
  expect(set.frames(named('differ.png'))).toBe(1)
  expect(await set.size(named('differ.png'))).toEqual([48, 64])
  await expectDiffSalError(async () => set.viewers('none'), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'video', 'none')
})

it('has the truth of some viewers, at a size', async () => {
  const one = await set.truth(named('differ.png'), 0, { viewers: ['v1'], size: [24, 32] })
  expect(one!.density!.shape).toEqual([24, 32])
  expect([...one!.fixations!.data].flatMap((value, at) => (value ? [at] : []))).toEqual([2 * 32 + 28])
  expect(await set.truth(named('differ.png'), 0, { viewers: [] })).toBeUndefined()
  const all = await set.truth(named('differ.png'), 0)
  expect(all!.fixations!.data.reduce((a, b) => a + b)).toBe(4)
})

it('scores halves: 1 where all agree, less than 0 where none does', async () => {
  const { videos, mean } = await datasets.halfAgainstHalf(set, { halvings: 4 })
  const [agree, differ] = [videos[named('agree.png')]!, videos[named('differ.png')]!]
  expect(agree.cc).toBeCloseTo(1, 6)
  expect(differ.cc).toBeLessThan(0)
  expect(mean.cc).toBeCloseTo((agree.cc + differ.cc) / 2, 12)
})

it.each<[string, object | null]>([
  ['set', null],
  ['set', {}],
  ['set.videos', { videos: null }],
  ['set.videos[0]', { videos: [3] }],
  ['set.viewers(video)', { viewers: () => 3 }],
  ['set.frames(video)', { frames: () => Number.NaN }],
])('names %s where a set is none: %j', async (argument, change) => {
  const bad = (
    change === null || Object.keys(change).length === 0
      ? change
      : { videos: set.videos, frames: () => 1, viewers: () => ['a', 'b'], truth: async () => undefined, points: () => undefined, ...change }
  ) as never
  await expectDiffSalError(() => datasets.halfAgainstHalf(bad), 'ERR_DIFFSAL_INVALID_ARGUMENT', `'${argument}'`)
  if (argument !== 'set.viewers(video)') await expectDiffSalError(() => datasets.gazeBaselines(bad), 'ERR_DIFFSAL_INVALID_ARGUMENT', `'${argument}'`)
})
