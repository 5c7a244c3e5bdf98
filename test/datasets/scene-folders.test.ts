import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { concatDatasets } from '../../lib/datasets/dataset.ts'
import { openHollywood2 } from '../../lib/datasets/hollywood2.ts'
import { openDataset } from '../../lib/datasets/open-dataset.ts'
import { openUcfSports } from '../../lib/datasets/ucf-sports.ts'
import { setLogger } from '../../lib/log.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { listen } from '../support/listen.ts'
import { temporaryPath } from '../support/temporary.ts'
import { colourOf, framesOf, writeMap, writePicture, write } from './trees.ts'

const small = { size: [6, 8], clipLength: 4 } as const

afterEach(() => setLogger(undefined))

/** A folder of images, maps and fixations; `name` gives the file of each frame. */
async function scene(folder: string, frames: number, name: (frame: number) => string): Promise<void> {
  for (let frame = 0; frame < frames; frame++) {
    await writePicture(join(folder, 'images', name(frame)), colourOf(frame))
    await writeMap(join(folder, 'maps', name(frame)), 255, { top: 6 })
    await writeMap(join(folder, 'fixation', name(frame)), 255, { top: 11, left: 15 })
  }
}

const pad = (number: number, digits: number): string => String(number).padStart(digits, '0')
const shot = (clip: string, first: number) => (frame: number) => `${clip}_${pad(first + frame, 5)}.png`

async function hollywoodTree(root: string): Promise<string> {
  await scene(join(root, 'training/actioncliptrain00001_1'), 5, shot('actioncliptrain00001', 1))
  await scene(join(root, 'training/actioncliptrain00001_2'), 4, shot('actioncliptrain00001', 6))
  await scene(join(root, 'testing/actioncliptest00003_2'), 3, shot('actioncliptest00003', 120))
  await write(join(root, 'training/readme.txt'), '')
  return root
}

async function ucfTree(root: string): Promise<string> {
  const frame = (number: number): string => `Diving-Side_001_${pad(number + 1, 3)}.png`
  await scene(join(root, 'training/Diving-Side-001'), 5, frame)
  await scene(join(root, 'testing/Kicking-Front-003'), 3, (number) => `Kicking-Front_003_${pad(number + 1, 3)}.png`)
  return root
}

test('Hollywood2: frame numbers go on from shot to shot', async () => {
  const root = await hollywoodTree(temporaryPath('hollywood'))
  const train = await openHollywood2(root, { ...small, windows: 'test', fixations: true, faults: 'error' })
  expect([train.videos, train.length]).toEqual([['Hollywood2/actioncliptrain00001_1', 'Hollywood2/actioncliptrain00001_2'], 9])
  const sample = (await train.get(6))!
  expect([sample.video, sample.frame, sample.audio]).toEqual(['Hollywood2/actioncliptrain00001_2', 1, null])
  expect(framesOf(sample.frames)).toEqual([0, 0, 1, 2])
  expect([...sample.fixations!.data].flatMap((value, i) => (value ? [i] : []))).toEqual([47])
  const test = await openHollywood2(root, { ...small, split: 'test' })
  expect([test.videos, test.length]).toEqual([['Hollywood2/actioncliptest00003_2'], 3])
  const truth = (await test.truth('Hollywood2/actioncliptest00003_2', 2))!
  expect([truth.density!.shape, truth.fixations!.data.indexOf(1)]).toEqual([[12, 16], 191])
  expect((await openHollywood2(root, small)).length).toBe(2)
})

test("Hollywood2: a shot's missing first picture is seen, by its map", async () => {
  const root = await hollywoodTree(temporaryPath('hollywood-fault'))
  await rm(join(root, 'testing/actioncliptest00003_2/images/actioncliptest00003_00120.png'))
  const warnings = listen()
  await expectDiffSalError(() => openHollywood2(root, { ...small, split: 'test' }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /empty/)
  expect(warnings).toEqual([expect.stringMatching(/00120\.png' does not exist, one of 1 of 3 frames/)])
})

test("UCF Sports: names with the scene's number in the middle", async () => {
  const root = await ucfTree(temporaryPath('ucf'))
  const train = await openUcfSports(root, { ...small, faults: 'error' })
  expect([train.videos, train.length]).toEqual([['UCF/Diving-Side-001'], 1])
  const sample = (await train.get(0))!
  expect([sample.frame, framesOf(sample.frames)]).toEqual([2, [0, 1, 2, 3]])
  const test = await openUcfSports(root, { ...small, split: 'test' })
  expect([test.videos, test.length]).toEqual([['UCF/Kicking-Front-003'], 3])
})

test('UCF Sports: a missing frame and a folder without pictures', async () => {
  const root = await ucfTree(temporaryPath('ucf-faults'))
  await rm(join(root, 'training/Diving-Side-001/images/Diving-Side_001_001.png'))
  await write(join(root, 'training/Golf-Swing-001/notes.txt'), '')
  const warnings = listen()
  const train = await openUcfSports(root, { ...small, windows: 'test' })
  expect(warnings).toEqual([
    expect.stringMatching(/Golf-Swing-001\/images' has no pictures; the video is left out/),
    expect.stringMatching(/Diving-Side_001_001\.png' does not exist, one of 1 of 5 frames/),
  ])
  expect(train.length).toBe(2)
  expect(framesOf((await train.get(0))!.frames)).toEqual([1, 2, 3, 4])
  await expectDiffSalError(() => openUcfSports(root, { faults: 'error' }), 'ERR_DIFFSAL_FILE', /Golf-Swing-001/)
})

test('a folder that is none of a set says what it should hold', async () => {
  const root = temporaryPath('nothing')
  for (const open of [openHollywood2, openUcfSports]) {
    await expectDiffSalError(() => open(root), 'ERR_DIFFSAL_FILE', /training' does not exist.*training and testing.*images, maps and fixation/)
  }
  await write(join(root, 'training/.keep'), '')
  await expectDiffSalError(() => openUcfSports(root), 'ERR_DIFFSAL_INVALID_ARGUMENT', /UCF dataset is empty/)
  await expectDiffSalError(() => openUcfSports(root, { split: 'validation' }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'split'/)
})

test('a dataset by its name', async () => {
  const root = await ucfTree(temporaryPath('named'))
  expect((await openDataset('UCF', root, small)).videos).toEqual(['UCF/Diving-Side-001'])
  await expectDiffSalError(() => openDataset('UCF', root, { fold: 1 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /unknown option 'fold'/)
  await expectDiffSalError(() => openDataset('DIEM', root), 'ERR_DIFFSAL_FILE', /DIEM_list_train_fps\.txt/)
  await expectDiffSalError(() => openDataset('DHF1K', root), 'ERR_DIFFSAL_FILE', /no DHF1K tree/)
  await expectDiffSalError(() => openDataset('Hollywood2', root, { split: 'test', size: [1] as never }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'size'/)
  await expectDiffSalError(() => openDataset('Holywood2' as 'UCF', root), 'ERR_DIFFSAL_INVALID_ARGUMENT', /did you mean 'Hollywood2'/)
})

test('several datasets as one', async () => {
  const hollywood = await openHollywood2(await hollywoodTree(temporaryPath('both-a')), { ...small, windows: 'test' })
  const ucf = await openUcfSports(await ucfTree(temporaryPath('both-b')), { ...small, windows: 'test' })
  const both = concatDatasets([hollywood, ucf])
  expect([both.length, both.videos]).toEqual([14, [...hollywood.videos, ...ucf.videos]])
  expect(await both.get(8)).toEqual(await hollywood.get(8))
  expect(await both.get(9)).toEqual(await ucf.get(0))
  expect(await both.get(13)).toEqual(await ucf.get(4))
  expect(await both.truth('UCF/Diving-Side-001', 1)).toEqual(await ucf.truth('UCF/Diving-Side-001', 1))
  expect(await both.truth('UCF/None', 1)).toBeUndefined()
  await expectDiffSalError(() => both.get(14), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'index'/)
  await expectDiffSalError(() => concatDatasets([]), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'datasets'/)
  await expectDiffSalError(() => concatDatasets([ucf, ucf]), 'ERR_DIFFSAL_INVALID_ARGUMENT', /UCF\/Diving-Side-001/)
})
