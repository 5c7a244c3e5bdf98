import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { clipAt } from '../../lib/clip-at.ts'
import { openGaze } from '../../lib/datasets/gaze-dataset.ts'
import type { GazeOptions } from '../../lib/datasets/gaze-options.ts'
import type { TrainingSample } from '../../lib/datasets/dataset.ts'
import { densityOfPoints, fixationMapOfPoints } from '../../lib/gaze/points.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { ffmpeg, frameNumber, numberedFrames } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'
import { collectWarnings } from '../support/warnings.ts'
import { rampWav, write, writeMap } from './trees.ts'

const warnings = collectWarnings()
const form = { size: [24, 32], clipLength: 8 } as const satisfies GazeOptions
let folders = 0

async function folder(files: Record<string, string | Uint8Array> = {}): Promise<string> {
  const root = temporaryPath(`gaze-${folders++}`)
  await mkdir(root, { recursive: true })
  for (const [name, content] of Object.entries(files)) await write(join(root, name), content)
  return root
}

/** A picture that is dark but for a white square of 5 × 5 pixels around a place. */
async function spot(x: number, y: number, height = 48, width = 64): Promise<Buffer> {
  const [left, top] = [Math.max(0, Math.floor(x * width) - 2), Math.max(0, Math.floor(y * height) - 2)]
  const white = await sharp({ create: { width: 5, height: 5, channels: 3, background: '#fff' } })
    .png()
    .toBuffer()
  const dark = sharp({ create: { width, height, channels: 3, background: '#203040' } })
  return dark
    .composite([{ input: white, left, top }])
    .png()
    .toBuffer()
}

const fixationsOf = (pictures: Record<string, readonly (readonly [number | string, number, number])[]>): string =>
  JSON.stringify(Object.fromEntries(Object.entries(pictures).map(([name, list]) => [name, list.map((one) => [...one, 200])])))

/** Ten pictures, `0.png` to `9.png`, each looked at where its spot is. */
async function pictures(count = 10): Promise<string> {
  const places = Array.from({ length: count }, (_, i) => [0.2 + 0.06 * i, 0.75 - 0.05 * i] as const)
  const files: Record<string, string | Uint8Array> = {
    'fixations.json': fixationsOf(
      Object.fromEntries(
        places.map((place, i) => [
          `${i}.png`,
          [
            ['a', ...place],
            ['b', ...place],
          ],
        ]),
      ),
    ),
  }
  for (const [i, place] of places.entries()) files[`${i}.png`] = await spot(...place)
  return folder(files)
}

/** Where a map of 24 × 32, or a picture of `channels`, is brightest: the mean of the places within a tenth of the most. */
function brightest(data: ArrayLike<number>, channels: number): readonly [number, number] {
  const values = Array.from({ length: 24 * 32 }, (_, i) => data[i * channels]!)
  const most = Math.max(...values)
  const places = values.flatMap((value, i) => (value > 0.9 * most ? [[Math.floor(i / 32), i % 32] as const] : []))
  return [places.reduce((sum, [y]) => sum + y, 0) / places.length, places.reduce((sum, [, x]) => sum + x, 0) / places.length]
}

const stems = (videos: readonly string[]): string => videos.map((name) => name.slice(name.indexOf('/') + 1).replace(/\.\w+$/, '')).join(' ')
const frame = ({ frames }: TrainingSample, t: number): Uint8Array => frames.data.subarray(t * 24 * 32 * 3, (t + 1) * 24 * 32 * 3)

describe('pictures with fixations', () => {
  test('are clips of themselves with the density and the number of fixations, silent', async () => {
    const points = [
      { x: 0.25, y: 0.5 },
      { x: 0.25, y: 0.5 },
      { x: 1, y: 0 },
    ]
    const root = await folder({ 'one.png': await spot(0.25, 0.5), 'fixations.json': fixationsOf({ 'one.png': points.map(({ x, y }, i) => [i, x, y]) }) })
    const set = await openGaze(root, { ...form, fixations: true, sigma: 0.1 })
    expect(set.length).toBe(1)
    const { video, frames, target, fixations, audio, frame: at } = (await set.get(0))!
    expect({ video, at }).toEqual({ video: `${root.split('/').at(-1)}/one.png`, at: 0 })
    expect(frames.shape).toEqual([8, 24, 32, 3])
    for (let t = 1; t < 8; t++) expect(frames.data.subarray(t * 2304, (t + 1) * 2304)).toEqual(frames.data.subarray(0, 2304))
    expect(target).toEqual({ ...densityOfPoints(points, [24, 32], 0.1), shape: [1, 24, 32] })
    expect(fixations).toEqual({ ...fixationMapOfPoints(points, [24, 32]), shape: [1, 24, 32] })
    expect(fixations!.data[12 * 32 + 8]).toBe(2)
    expect(audio).toEqual({ samples: new Float32Array(5120), sampleRate: 16_000 })
    const truth = await set.truth(video, 0)
    expect(truth).toEqual({ density: densityOfPoints(points, [48, 64], 0.1), fixations: fixationMapOfPoints(points, [48, 64]) })
    expect(await set.truth(video, 1)).toBeUndefined()
    expect(await set.truth('another', 0)).toBeUndefined()
  })

  test('at which nobody looked have no sample and no truth', async () => {
    const root = await folder({ 'one.png': await spot(0.5, 0.5), 'fixations.json': '{"one.png": []}' })
    const set = await openGaze(root, form)
    expect(await set.get(0)).toBeNull()
    expect(await set.truth(set.videos[0]!, 0)).toBeUndefined()
  })

  test('are named by the list alone: no name leaves the folder', async () => {
    const root = await folder({ 'in/one.png': await spot(0.5, 0.5), 'out.png': await spot(0.5, 0.5) })
    const names = ['one.png', '../out.png', join(root, 'out.png'), 'none.png', '__proto__']
    await write(join(root, 'in/fixations.json'), `{${names.map((name) => `${JSON.stringify(name)}: [[1, 0.5, 0.5, 9]]`).join()}}`)
    const set = await openGaze(join(root, 'in'), form)
    expect(set.videos).toEqual(['in/one.png'])
    expect(warnings.join()).toMatch(/'\.\.\/out\.png' is not in '.*\/in', one of 4 pictures of 'fixations\.json' that are missing; they are left out/)
    await expectDiffSalError(() => openGaze(join(root, 'in'), { ...form, faults: 'error' }), 'ERR_DIFFSAL_FILE', /is not in/)
  })

  test('that do not decode, are pipes, folders or empty are left out with their names, or refused', async () => {
    const root = await folder({
      'good.png': await spot(0.5, 0.5),
      'bad.png': 'no picture',
      'empty.png': '',
      'folder.png/x': '',
      'cut.png': (await spot(0.5, 0.5)).subarray(0, 90),
    })
    execFileSync('mkfifo', [join(root, 'pipe.png')])
    const bad = ['bad', 'cut', 'empty', 'folder', 'pipe']
    await write(join(root, 'fixations.json'), fixationsOf(Object.fromEntries([...bad, 'good'].map((name) => [`${name}.png`, [['a', 0.5, 0.5]]]))))
    for (const augment of [false, true]) {
      const set = await openGaze(root, { ...form, augment, camera: 0 })
      const samples = await Promise.all(set.videos.map((_, i) => set.get(i)))
      expect(samples.flatMap((one) => (one ? [stems([one.video])] : []))).toEqual(['good'])
      for (const name of bad)
        expect(
          warnings.filter((one) => one.includes(`${name}.png`)),
          name,
        ).not.toEqual([])
    }
    const strict = await openGaze(root, { ...form, faults: 'error' })
    for (const [i, name] of strict.videos.entries()) {
      if (name.endsWith('good.png')) expect(await strict.get(i)).not.toBeNull()
      else await expect(strict.get(i), name).rejects.toMatchObject({ name: 'DiffSalError' })
    }
    await expectDiffSalError(() => strict.truth(strict.videos.find((name) => name.endsWith('pipe.png'))!, 0), 'ERR_DIFFSAL_FILE', 'pipe.png')
  })
})

test('pictures with density maps are samples and truth, and move with their maps', async () => {
  const root = await folder({
    '0001.jpg': await sharp(await spot(0.5, 0.5))
      .jpeg()
      .toBuffer(),
    '0002.jpg': 'no map',
    'other.png': 'no picture',
  })
  await writeMap(join(root, '0001.png'), 200, { height: 48, width: 64, top: 24 })
  const set = await openGaze(root, { ...form, fixations: true })
  expect(stems(set.videos)).toBe('0001')
  const { target, fixations } = (await set.get(0))!
  expect(fixations).toBeUndefined()
  expect([target.data[5 * 32], target.data[20 * 32]]).toEqual([0, 1])
  const { density, ...rest } = (await set.truth(set.videos[0]!, 0))!
  expect(rest).toEqual({})
  expect(density!.shape).toEqual([48, 64])
  expect([density!.data[23 * 64], density!.data[24 * 64]]).toEqual([0, 1])
  expect((await set.truth(set.videos[0]!, 0, { size: [12, 16] }))!.density!.shape).toEqual([12, 16])
  expect(set.viewers(set.videos[0]!)).toEqual([])
  await expectDiffSalError(() => set.truth(set.videos[0]!, 0, { size: [0, 3] }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'size')
})

describe('augment', () => {
  test('is decided by seed, index and epoch', async () => {
    const root = await pictures(3)
    const open = (seed: number) => openGaze(root, { ...form, augment: true, fixations: true, seed })
    const [set, same, other] = [await open(5), await open(5), await open(6)]
    expect(await same.get(1, 2)).toEqual(await set.get(1, 2))
    expect(await set.get(1)).toEqual(await set.get(1, 0))
    // Of a crop that shows no fixation there is no sample.
    const epochs = Array.from({ length: 12 }, (_, epoch) => epoch)
    const variants = await Promise.all([...epochs.map((epoch) => set.get(1, epoch)), ...epochs.map((epoch) => other.get(1, epoch))])
    const shown = variants.flatMap((one) => (one ? [Buffer.from(one.frames.data).toString('base64')] : []))
    expect(shown.length).toBeGreaterThan(12)
    expect(new Set(shown).size).toBe(shown.length)
    await expectDiffSalError(() => set.get(1, -1), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'epoch')
    await expectDiffSalError(() => set.get(3), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'index')
  })

  test('moves fixations and density with the picture, also before a camera and past cuts', async () => {
    const set = await openGaze(await pictures(4), { ...form, augment: true, fixations: true, camera: 1 })
    let [moved, cuts, seen] = [0, 0, 0]
    for (let epoch = 0; epoch < 25; epoch++) {
      for (let i = 0; i < 4; i++) {
        const sample = await set.get(i, epoch)
        if (sample === null) continue
        seen += 1
        const at = sample.fixations!.data.findIndex((count) => count > 0)
        expect(sample.fixations!.data[at]).toBe(2)
        expect(sample.target.data[at]).toBeGreaterThan(0.6)
        // The spot is the brightest: its middle is where the fixation is, in the frame whose map it is.
        const centre = frame(sample, 4)
        const most = centre.reduce((greatest, value) => Math.max(greatest, value), 0)
        expect(Math.max(...centre.subarray(at * 3, at * 3 + 3))).toBeGreaterThan(most * 0.5)
        const steps = Array.from(
          { length: 7 },
          (_, t) => frame(sample, t).reduce((sum, value, k) => sum + Math.abs(value - frame(sample, t + 1)[k]!), 0) / 2304,
        )
        if (steps.every((step) => step > 0)) moved += 1
        if (Math.max(...steps) > 4 * (steps.toSorted((a, b) => a - b)[3]! + 1)) cuts += 1
      }
    }
    expect(moved).toBeGreaterThan(seen / 2)
    expect(cuts).toBeGreaterThan(0)
    expect(cuts).toBeLessThan(seen / 2)
  })

  test('without it every pass is the same', async () => {
    const set = await openGaze(await pictures(1), form)
    expect(await set.get(0, 7)).toEqual(await set.get(0, 0))
  })

  test('a sound that says nothing is heard in its share, silence in the rest', async () => {
    const root = await folder({ 'one.png': await spot(0.5, 0.5), 'fixations.json': fixationsOf({ 'one.png': [['a', 0.5, 0.5]] }) })
    const sound = join(root, 'hum.wav')
    await writeFile(sound, rampWav(2))
    const loud = async (soundShare: number, augment = true) => {
      const set = await openGaze(root, { ...form, augment, camera: 0, sounds: [sound], soundShare })
      const all = await Promise.all(Array.from({ length: 30 }, (_, epoch) => set.get(0, epoch)))
      return all.filter((one) => one!.audio!.samples.some((value) => value !== 0)).length
    }
    expect([await loud(0), await loud(1), await loud(1, false)]).toEqual([0, 30, 0])
    const some = await loud(0.3)
    expect(some).toBeGreaterThan(1)
    expect(some).toBeLessThan(20)
    await rm(sound)
    await expectDiffSalError(() => openGaze(root, { ...form, sounds: [sound] }), 'ERR_DIFFSAL_FILE', /hum\.wav.*does not exist/)
  })
})

describe('splits', () => {
  test('hold out each nth, names, or a pattern', async () => {
    const root = await pictures()
    const names = async (split: 'train' | 'validation' | 'test', heldOut: GazeOptions['heldOut']) =>
      stems((await openGaze(root, { ...form, split, heldOut })).videos)
    expect(await names('train', 4)).toBe('0 1 2 4 5 6 8 9')
    expect(await names('validation', 4)).toBe('3 7')
    expect(await names('test', ['2', '8'])).toBe('2 8')
    expect(await names('train', ['2', '8'])).toBe('0 1 3 4 5 6 7 9')
    expect(await names('train', undefined)).toBe(await names('test', undefined))
    await expectDiffSalError(
      () => names('train', ['*']),
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      /'heldOut' must be such that it leaves the split 'train' some of the 10/,
    )
    const error = await expectDiffSalError(() => names('train', ['2', '22']), 'ERR_DIFFSAL_INVALID_ARGUMENT', /name, without extension, of a picture or video/)
    expect(error.argument).toBe('heldOut[1]')
    await expectDiffSalError(() => names('train', 1), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'heldOut')
  })

  test('patterns have their stars anywhere', async () => {
    const names = ['Drill', 'DrillText', 'HorsesC', 'HorsesD', 'aXbXc']
    const root = await folder({ 'fixations.json': fixationsOf(Object.fromEntries(names.map((name) => [`${name}.png`, [['a', 0.5, 0.5]]]))) })
    for (const name of names) await writeFile(join(root, `${name}.png`), await spot(0.5, 0.5))
    const test = async (...heldOut: string[]) => stems((await openGaze(root, { ...form, split: 'test', heldOut })).videos)
    expect(await test('Drill*')).toBe('Drill DrillText')
    expect(await test('*Text', 'Horses*')).toBe('DrillText HorsesC HorsesD')
    expect(await test('a*b*c')).toBe('aXbXc')
    await expectDiffSalError(() => test('aXb*bXc'), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'heldOut')
  })

  test('what is missing does not move the others into another split', async () => {
    const root = await pictures()
    await rm(join(root, '1.png'))
    const set = await openGaze(root, { ...form, split: 'validation', heldOut: 4 })
    expect(stems(set.videos)).toBe('3 7')
  })

  test('folders train and val are splits, and are parted no further', async () => {
    const root = await folder({
      'train/a.jpg': await sharp(await spot(0.5, 0.5))
        .jpeg()
        .toBuffer(),
      'Val/b.jpg': await sharp(await spot(0.5, 0.5))
        .jpeg()
        .toBuffer(),
    })
    await writeMap(join(root, 'train/a.png'), 255)
    await writeMap(join(root, 'Val/b.png'), 255)
    const title = root.split('/').at(-1)
    expect((await openGaze(root, form)).videos).toEqual([`${title}/train/a.jpg`])
    for (const split of ['validation', 'test'] as const) expect((await openGaze(root, { ...form, split })).videos).toEqual([`${title}/Val/b.jpg`])
    await expectDiffSalError(() => openGaze(root, { ...form, heldOut: 4 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'heldOut' must be left out.*parted already/)
    await rm(join(root, 'train'), { recursive: true })
    await expectDiffSalError(() => openGaze(root, form), 'ERR_DIFFSAL_FILE', /has no folder 'train' beside its 'Val'/)
  })
})

describe('videos', () => {
  const gaze = 'viewer,start_ms,duration_ms,x,y\na,0,400,0.25,0.5\nb,200,10000,0.75,0.25\n'

  /** Forty frames that tell their numbers, four seconds. */
  async function video(files: Record<string, string | Uint8Array>, name = 'v.mkv'): Promise<string> {
    const root = await folder(files)
    await numberedFrames(join(root, name), 40, '10')
    return root
  }

  test('with fixations: the clip of a frame, the gaze of its moment, its frames by number', async () => {
    const root = await video({ 'v.csv': gaze })
    const set = await openGaze(root, { ...form, stride: 3, fixations: true })
    expect(set.length).toBe(14)
    expect(set.frames(set.videos[0]!)).toBe(40)
    const [first, second, last] = [(await set.get(0))!, (await set.get(2))!, (await set.get(13))!]
    const numbersOf = (sample: TrainingSample) => Array.from({ length: 8 }, (_, t) => frameNumber(frame(sample, t)))
    expect(numbersOf(first)).toEqual([0, 0, 0, 0, 0, 1, 2, 3])
    expect(numbersOf(second)).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
    expect(numbersOf(last)).toEqual([35, 36, 37, 38, 39, 39, 39, 39])
    expect([first.frame, second.frame, last.frame]).toEqual([0, 6, 39])
    const at = (...points: { x: number; y: number }[]) => ({ ...densityOfPoints(points, [24, 32], 1 / 40), shape: [1, 24, 32] })
    expect(first.target).toEqual(at({ x: 0.25, y: 0.5 }))
    expect((await set.get(1))!.target).toEqual(at({ x: 0.25, y: 0.5 }, { x: 0.75, y: 0.25 }))
    expect(second.target).toEqual(at({ x: 0.75, y: 0.25 }))
    expect(first.audio!.samples).toEqual(new Float32Array(12_800))
    expect(set.points(set.videos[0]!, 3)).toEqual([
      { viewer: 'a', x: 0.25, y: 0.5 },
      { viewer: 'b', x: 0.75, y: 0.25 },
    ])
    expect((await openGaze(root, { ...form, split: 'test' })).length).toBe(40)
    expect((await openGaze(root, form)).length).toBe(3)
  })

  test('as stills are single frames, with the gaze of their moment; pictures too, over which no camera goes', async () => {
    const root = await video({ 'v.csv': gaze })
    const [clips, stills] = [await openGaze(root, { ...form, stride: 3 }), await openGaze(root, { ...form, stride: 3, stills: true })]
    expect(stills.length).toBe(clips.length)
    for (const index of [0, 2, 13]) {
      const [clip, one] = [(await clips.get(index))!, (await stills.get(index))!]
      expect(one.frames.shape).toEqual([1, 24, 32, 3])
      expect(frameNumber(one.frames.data)).toBe(clip.frame)
      expect({ ...one, frames: 0 }).toEqual({ ...clip, frames: 0 })
    }
    const pictured = await openGaze(await pictures(2), { ...form, stills: true, augment: true, camera: 1 })
    const drawn = await Promise.all(Array.from({ length: 40 }, (_, epoch) => pictured.get(epoch % 2, epoch)))
    const samples = drawn.filter((sample) => sample !== null)
    expect(samples.length).toBeGreaterThan(30)
    // A spot is where its density says: nothing is cut to another picture.
    for (const sample of samples) {
      expect(sample.frames.shape).toEqual([1, 24, 32, 3])
      const [place, wanted] = [brightest(sample.frames.data, 3), brightest(sample.target.data, 1)]
      expect(Math.hypot(place[0] - wanted[0], place[1] - wanted[1])).toBeLessThan(5)
    }
  })

  test('augmented, a clip is at any frame of its stride', async () => {
    const set = await openGaze(await video({ 'v.csv': gaze }), { ...form, stride: 16, augment: true })
    const drawn = await Promise.all(Array.from({ length: 12 }, (_, epoch) => set.get(2, epoch)))
    const frames = drawn.flatMap((one) => (one ? [one.frame] : []))
    for (const one of frames) expect(one >= 32 && one < 40).toBe(true)
    expect(new Set(frames).size).toBeGreaterThan(3)
  })

  test('several recordings are the viewers of one, or those that are asked for', async () => {
    const root = await video({ 'v.csv': gaze, 'v.second.csv': 'viewer,frame,x,y\na,0,0.5,0.5\n', 'v.notes.txt': 'nothing' })
    const viewers = async (recordings?: string[]) => {
      const set = await openGaze(root, { ...form, recordings })
      return set
        .points(set.videos[0]!, 0)!
        .map(({ x }) => x)
        .sort()
    }
    expect(await viewers()).toEqual([0.25, 0.5])
    expect(await viewers([''])).toEqual([0.25])
    expect(await viewers(['second'])).toEqual([0.5])
    const error = await expectDiffSalError(() => viewers(['', 'third']), 'ERR_DIFFSAL_INVALID_ARGUMENT', /that a video in '.*' has \('', 'second'\)/)
    expect(error.argument).toBe('recordings[1]')
  })

  test('a table is of the video with the longest name that fits', async () => {
    const root = await video({ 'v.csv': gaze, 'v.b.csv': 'viewer,frame,x,y\na,0,0.5,0.5\n' })
    await numberedFrames(join(root, 'v.b.mkv'), 4, '10')
    const set = await openGaze(root, form)
    expect(set.videos.map((name) => set.points(name, 0)!.map(({ x }) => x))).toEqual([[0.5], [0.25]])
  })

  test('with a video of maps, a frame a frame, as long as both are', async () => {
    const root = await video({})
    await ffmpeg(
      '-f',
      'lavfi',
      '-i',
      "color=black:s=32x24:r=10,format=gray,geq=lum='if(lt(X,N),200,0)'",
      '-frames:v',
      '20',
      '-c:v',
      'ffv1',
      join(root, 'v.map.mkv'),
    )
    const set = await openGaze(root, { ...form, stride: 1, fixations: true })
    expect(set.length).toBe(20)
    expect(await set.get(0)).toBeNull()
    const { target, fixations } = (await set.get(9))!
    expect(fixations).toBeUndefined()
    expect([...target.data.subarray(32, 64)].map((value) => Math.round(value * 4) / 4)).toEqual(Array.from({ length: 32 }, (_, x) => Number(x < 9)))
    expect((await set.truth(set.videos[0]!, 9))!.density!.data.filter((value) => value > 0.5)).toHaveLength(9 * 24)
  })

  test('sound is heard, from half a frame before the clip on', async () => {
    const root = await folder({ 'v.csv': gaze })
    await ffmpeg(
      '-f',
      'lavfi',
      '-i',
      'color=gray:s=32x32:r=10:d=2',
      '-f',
      'lavfi',
      '-i',
      'aevalsrc=if(lt(t\\,1)\\,0\\,0.5):s=16000:d=2',
      '-c:v',
      'ffv1',
      '-c:a',
      'pcm_s16le',
      join(root, 'v.mkv'),
    )
    const set = await openGaze(root, { ...form, stride: 1 })
    const { audio } = (await set.get(10))!
    expect(audio!.sampleRate).toBe(16_000)
    expect(audio!.samples).toHaveLength(12_800)
    // Frame 10 is at 1 s; four and a half frames before it the clip begins.
    expect(audio!.samples.findIndex((value) => value > 0.2) / 16_000).toBeCloseTo(0.45, 2)
  })

  test('whose picture begins after its sound: gaze and sound are of the moment at which a frame is shown, tables of frame numbers of the frame', async () => {
    const root = await folder({ 'v.csv': gaze, 'v.frames.csv': 'viewer,frame,x,y\nc,3,0.5,0.5\n' })
    const path = join(root, 'v.mkv')
    const numbered = temporaryPath('numbered-late.mkv')
    await numberedFrames(numbered, 20, '10')
    const rising = ['-f', 'lavfi', '-i', 'aevalsrc=t/4:s=16000:d=3.2']
    await ffmpeg('-itsoffset', '1.2', '-i', numbered, ...rising, '-map', '0:v', '-map', '1:a', '-c:v', 'copy', '-c:a', 'pcm_s16le', path)
    const [set, ofFrames] = [await openGaze(root, { ...form, stride: 1, recordings: [''] }), await openGaze(root, { ...form, recordings: ['frames'] })]
    const [name] = set.videos
    // 3.2 s, of which two have a picture.
    expect(set.frames(name!)).toBe(20)
    // Of the first viewer's 0.4 s nothing is left at 1.2 s.
    expect(set.points(name!, 0)).toEqual([{ viewer: 'b', x: 0.75, y: 0.25 }])
    expect([2, 3, 4].map((frame) => ofFrames.points(name!, frame))).toEqual([[], [{ viewer: 'c', x: 0.5, y: 0.5 }], []])
    for (const k of [0, 8, 19]) {
      const sample = (await set.get(k))!
      const clip = await clipAt(path, k, { size: [24, 32], clipLength: 8 })
      expect(frameNumber(frame(sample, 4))).toBe(k)
      expect(sample.frames.data).toEqual(clip.frames!.data)
      expect(sample.audio!.samples.length).toBe(clip.audio!.samples.length)
      expect(Math.max(...sample.audio!.samples.map((value, i) => Math.abs(value - clip.audio!.samples[i]!)))).toBeLessThan(1e-3)
    }
    // Frame 8 is shown at 2 s, and its clip begins 0.45 s before.
    expect((await set.get(8))!.audio!.samples[0]).toBeCloseTo(1.55 / 4, 3)
  })

  test('that are damaged, shorter than their gaze, or with a table that is none, are named', async () => {
    const root = await video({ 'v.csv': `${gaze}a,9000,10,0.5,0.5\n`, 'bad.mp4': 'no video', 'bad.csv': gaze, 'folder.mp4/x': '', 'folder.csv': gaze })
    await numberedFrames(join(root, 'table.mkv'), 4, '10')
    await write(join(root, 'table.csv'), 'a;b\n')
    await numberedFrames(join(root, 'seconds.mkv'), 40, '10')
    await write(join(root, 'seconds.csv'), 'viewer,start_ms,duration_ms,x,y\na,0,2,0.5,0.5\na,2,1.5,0.5,0.5\n')
    await numberedFrames(join(root, 'alone.mkv'), 4, '10')
    const set = await openGaze(root, { ...form, split: 'test' })
    expect(stems(set.videos)).toBe('seconds v')
    const said = (text: RegExp) =>
      expect(
        warnings.filter((one) => text.test(one)),
        String(text),
      ).toHaveLength(1)
    said(/'.*v\.mkv' is 4\.00 s long, but 1 looks in '.*v\.csv' begin after it has ended, the last at 9\.00 s/)
    said(/bad\.mp4' is not a video.*'.*\/bad\.mp4' is left out/)
    said(/folder\.mp4'.*it is a directory.*is left out/)
    said(/table\.csv' is no table of where people looked.*'.*\/table\.mkv' is left out/)
    said(/seconds\.csv' end after 3\.5 ms: are its times in milliseconds\?/)
    await expectDiffSalError(() => openGaze(root, { ...form, faults: 'error' }), 'ERR_DIFFSAL_MEDIA', 'bad.mp4')
  })
})

describe('what is no folder of eye tracking', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ['an empty one', {}, /holds no eye tracking: 'fixations\.json' beside pictures/],
    ['one of other files', { 'notes.txt': '', 'a.csv': 'viewer,frame,x,y\n' }, /holds no eye tracking/],
    ['one whose pictures are all missing', { 'fixations.json': '{"a.png": []}' }, /1 pictures and videos were left out/],
  ])('%s', async (_, files, message) => {
    await expectDiffSalError(async () => openGaze(await folder(files), form), 'ERR_DIFFSAL_FILE', message)
  })

  test('nothing, a file, a list that is a folder', async () => {
    await expectDiffSalError(() => openGaze(temporaryPath('nothing')), 'ERR_DIFFSAL_FILE', /does not exist/)
    const root = await folder({ file: '', 'in/fixations.json/x': '' })
    await expectDiffSalError(() => openGaze(join(root, 'file')), 'ERR_DIFFSAL_FILE', /not a directory/)
    await expectDiffSalError(() => openGaze(join(root, 'in')), 'ERR_DIFFSAL_FILE', /fixations\.json': it is a directory/)
  })

  test.each<[string, object, string]>([
    ['sigma', { sigma: 0 }, 'sigma'],
    ['camera', { camera: 2 }, 'camera'],
    ['soundShare', { soundShare: -1 }, 'soundShare'],
    ['sounds', { sounds: 'a.wav' }, 'sounds'],
    ['recordings', { recordings: [3] }, 'recordings[0]'],
    ['augment', { augment: 1 }, 'augment'],
    ['stills', { stills: 1 }, 'stills'],
    ['seed', { seed: -1 }, 'seed'],
    ['split', { split: 'val' }, 'split'],
    ['heldOut', { heldOut: [7] }, 'heldOut[0]'],
    ['densitySigma, which is of other sets', { densitySigma: 3 }, 'options.densitySigma'],
  ])('options are checked: %s', async (_, options, argument) => {
    const root = await folder({ 'one.png': await spot(0.5, 0.5), 'fixations.json': '{"one.png": []}' })
    expect((await expectDiffSalError(() => openGaze(root, options as GazeOptions), 'ERR_DIFFSAL_INVALID_ARGUMENT')).argument).toBe(argument)
  })
})

const shared = '../shared/gaze'
test.skipIf(!existsSync(shared))(`real recordings in ${shared}, where it is there`, async () => {
  const faces = await openGaze(join(shared, 'videos/buaa'), { ...form, split: 'test', heldOut: ['Cactus', 'Tennis'], faults: 'skip' })
  expect(stems(faces.videos)).toBe('Cactus Tennis')
  expect(faces.viewers(faces.videos[0]!).length).toBeGreaterThan(40)
  const photographs = await openGaze(join(shared, 'images/osie'), { ...form, split: 'test', heldOut: 10 })
  expect(photographs.length).toBe(60)
  const truth = (await photographs.truth(photographs.videos[0]!, 0))!
  expect(truth.fixations!.data.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(50)
})
