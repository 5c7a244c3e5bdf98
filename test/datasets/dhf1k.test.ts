import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openDhf1k } from '../../lib/datasets/dhf1k.ts'
import { setLogger } from '../../lib/log.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { frameNumber, numberedFrames } from '../support/media.ts'
import { listen } from '../support/listen.ts'
import { temporaryPath } from '../support/temporary.ts'
import { colourOf, framesOf, writeMap, writePicture, write } from './trees.ts'

const small = { size: [6, 8], clipLength: 4 } as const

afterEach(() => setLogger(undefined))

const pad = (number: number): string => String(number).padStart(4, '0')

/** Maps of 255 from row 6 on, and one white fixation at (2, frame). */
async function annotate(maps: string, fixations: string | undefined, frames: number): Promise<void> {
  for (let number = 1; number <= frames; number++) {
    await writeMap(join(maps, `${pad(number)}.png`), 255, { top: 6 })
    if (fixations) await writeMap(join(fixations, `${pad(number)}.png`), 255, { top: 11, left: 16 - number })
  }
}

let trees = 0
async function repackedTree(videos: readonly number[], frames = 20): Promise<string> {
  const root = temporaryPath(`repacked-${trees++}`)
  for (const video of videos) {
    for (let number = 1; number <= frames; number++) await writePicture(join(root, `frames/${video}/${number}.png`), colourOf(number - 1))
    await annotate(join(root, `maps/${video}`), undefined, frames)
  }
  return root
}

test('repacked: clips one after the other, no sound', async () => {
  const root = await repackedTree([1, 2, 600, 601, 700, 701])
  const dataset = await openDhf1k(root, small)
  expect(dataset.videos).toEqual(['DHF1K/1', 'DHF1K/2', 'DHF1K/600'])
  // Of 20 frames: 0–15 and the rest, 16–19.
  expect(dataset.length).toBe(6)
  const sample = (await dataset.get(3))!
  expect([sample.video, sample.frame, sample.audio]).toEqual(['DHF1K/2', 18, null])
  expect(framesOf(sample.frames)).toEqual([16, 17, 18, 19])
  expect([sample.target.data[0], sample.target.data[47], sample.fixations]).toEqual([0, 1, undefined])
  expect((await openDhf1k(root, { ...small, split: 'validation' })).videos).toEqual(['DHF1K/601', 'DHF1K/700'])
  const test = await openDhf1k(root, { ...small, split: 'test' })
  expect([test.videos, test.length]).toEqual([['DHF1K/701'], 20])
  const truth = (await test.truth('DHF1K/701', 3))!
  expect([truth.density!.shape, truth.fixations]).toEqual([[12, 16], undefined])
})

test('repacked, with fixations beside', async () => {
  const root = await repackedTree([1])
  await annotate(temporaryPath('unused'), join(root, 'fixation/1'), 15)
  const dataset = await openDhf1k(root, { ...small, fixations: true })
  const fixated = (await dataset.truth('DHF1K/1', 2))!.fixations!
  expect([...fixated.data].flatMap((value, i) => (value ? [i] : []))).toEqual([189, 190, 191])
  expect((await dataset.get(0))!.fixations!.shape).toEqual([1, 6, 8])
})

test('as published: video files with an annotation', async () => {
  const root = temporaryPath('published')
  await write(join(root, 'video/readme.txt'), '')
  await numberedFrames(join(root, 'video/001.mkv'), 40, '30')
  await rename(join(root, 'video/001.mkv'), join(root, 'video/001.AVI'))
  await annotate(join(root, 'annotation/0001/maps'), join(root, 'annotation/0001/fixation'), 40)
  const dataset = await openDhf1k(root, { size: [32, 32], windows: 'test', fixations: true, faults: 'error' })
  expect(dataset.length).toBe(40)
  for (const [frame, first, last] of [
    [0, 0, 7],
    [9, 1, 16],
    [20, 12, 27],
    [39, 31, 39],
  ] as const) {
    const { frames, fixations } = (await dataset.get(frame))!
    const numbers = Array.from({ length: 16 }, (_, t) => frameNumber(frames.data, t * 32 * 32 * 3))
    expect(numbers).toEqual(Array.from({ length: 16 }, (_, t) => Math.min(39, Math.max(0, frame - 8 + t))))
    expect([numbers[0], numbers[15]]).toEqual([first, last])
    expect(fixations!.shape).toEqual([1, 32, 32])
  }
})

test('as published: a video shorter than its annotation repeats its last frame; one that is damaged is a fault', async () => {
  const root = temporaryPath('shorter')
  await write(join(root, 'video/readme.txt'), '')
  await numberedFrames(join(root, 'video/001.mkv'), 18, '30')
  await annotate(join(root, 'annotation/0001/maps'), undefined, 22)
  const dataset = await openDhf1k(root, { size: [32, 32], clipLength: 4, windows: 'test', faults: 'error' })
  const { frames } = (await dataset.get(17))!
  expect([0, 1, 2, 3].map((t) => frameNumber(frames.data, t * 32 * 32 * 3))).toEqual([15, 16, 17, 17])
  await expectDiffSalError(() => dataset.get(21), 'ERR_DIFFSAL_MEDIA', /001\.mkv.*no frame 19/)
  await writeFile(join(root, 'video/001.mkv'), 'no video at all')
  const damaged = await openDhf1k(root, { size: [32, 32], clipLength: 4, windows: 'test', faults: 'error' })
  await expectDiffSalError(() => damaged.get(5), 'ERR_DIFFSAL_MEDIA', /001\.mkv/)
})

test('as published, with pictures in the annotation', async () => {
  const root = temporaryPath('pictures')
  for (let number = 1; number <= 10; number++) await writePicture(join(root, `annotation/0007/images/${pad(number)}.png`), colourOf(number - 1))
  await annotate(join(root, 'annotation/0007/maps'), undefined, 10)
  const dataset = await openDhf1k(root, small)
  expect([dataset.videos, dataset.length]).toEqual([['DHF1K/7'], 1])
  expect(framesOf((await dataset.get(0))!.frames)).toEqual([3, 4, 5, 6])
})

test('faults: a missing frame, a missing video, an all-zero map', async () => {
  const root = await repackedTree([1, 2])
  await rm(join(root, 'frames/1/4.png'))
  await rm(join(root, 'frames/2'), { recursive: true })
  await writeMap(join(root, 'maps/1/0019.png'), 0)
  const warnings = listen()
  const dataset = await openDhf1k(root, { ...small, windows: 'test' })
  expect(warnings).toEqual([expect.stringMatching(/video 2 are neither/), expect.stringMatching(/frames\/1\/4\.png' does not exist/)])
  expect(dataset.length).toBe(16)
  expect(await dataset.get(14)).toBeNull()
  await expectDiffSalError(() => openDhf1k(root, { faults: 'error' }), 'ERR_DIFFSAL_FILE', /video 2/)
})

test('no tree, and a split without maps, are told apart', async () => {
  await expectDiffSalError(() => openDhf1k(temporaryPath('nowhere')), 'ERR_DIFFSAL_FILE', /no DHF1K tree.*annotation\/0001\/maps.*maps\/1/)
  const root = await repackedTree([1], 2)
  await expectDiffSalError(() => openDhf1k(root, { split: 'test' }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /empty.*'test'.*not public/)
})
