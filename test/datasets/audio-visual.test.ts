import { rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { audioVisualSets, openAudioVisual } from '../../lib/datasets/audio-visual.ts'
import { setLogger } from '../../lib/log.ts'
import { score, type FramePrediction } from '../../lib/metrics/score.ts'
import { ffmpeg } from '../support/media.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { listen } from '../support/listen.ts'
import { temporaryPath } from '../support/temporary.ts'
import { audioVisualTree, colourOf, fixationMat, framesOf, numbers, rampWav, wavFile, write, writeMap, writePicture, type AudioVisualTree } from './trees.ts'

const small = { size: [6, 8], clipLength: 4 } as const

let trees = 0
async function tree(options?: AudioVisualTree): Promise<string> {
  const root = temporaryPath(`tree-${trees++}`)
  await audioVisualTree(root, options)
  return root
}

afterEach(() => setLogger(undefined))

test.each(audioVisualSets)('%s: a sample of each kind of window', async (set) => {
  const root = await tree({
    set,
    videos: { 'A b': { frames: 20 }, V2: { frames: 3 } },
    ...(set === 'DIEM' && { listName: 'DIEM_list_train_fps.txt' }),
  })
  const dataset = await openAudioVisual(root, set, { ...small, fold: 1, fixations: true })
  expect(dataset.videos).toEqual([`${set}/A b`, `${set}/V2`])
  expect(dataset.length).toBe(2)
  const sample = (await dataset.get(0))!
  expect([sample.video, sample.frame]).toEqual([`${set}/A b`, 10])
  expect(sample.frames.shape).toEqual([4, 6, 8, 3])
  expect(framesOf(sample.frames)).toEqual([8, 9, 10, 11])
  expect(sample.target.shape).toEqual([1, 6, 8])
  expect(sample.target.data[0]).toBeCloseTo(0, 1)
  expect(sample.target.data[47]).toBeCloseTo(1, 1)
  expect(sample.fixations!.shape).toEqual([1, 6, 8])
  expect([...sample.fixations!.data].flatMap((value, i) => (value ? [i] : []))).toEqual([1 * 8 + 5])
  const last = (await dataset.get(1))!
  expect([last.video, last.frame, framesOf(last.frames)]).toEqual([`${set}/V2`, 1, [0, 0, 1, 2]])
})

test('the sound of a clip: from half a frame before its first frame to half a frame after its last, silent beyond the ends', async () => {
  const root = await tree()
  const dataset = await openAudioVisual(root, 'AVAD', { ...small, windows: 'test' })
  for (const frame of [0, 10, 19]) {
    const { audio } = (await dataset.get(frame))!
    expect(audio!.sampleRate).toBe(8000)
    // 320 samples a frame; sample i is i / 10⁵.
    const from = (frame - 2 - 0.5) * 320
    const expected = Array.from({ length: 4 * 320 }, (_, i) => (from + i >= 0 && from + i < 6400 ? (from + i) / 1e5 : 0))
    expect(audio!.samples).toEqual(Float32Array.from(expected))
  }
})

test('test windows: every frame, or every stride-th, the edge frames repeated', async () => {
  const root = await tree()
  const every = await openAudioVisual(root, 'AVAD', { ...small, windows: 'test' })
  expect(every.length).toBe(20)
  expect(framesOf((await every.get(0))!.frames)).toEqual([0, 0, 0, 1])
  expect(framesOf((await every.get(7))!.frames)).toEqual([5, 6, 7, 8])
  expect(framesOf((await every.get(19))!.frames)).toEqual([17, 18, 19, 19])
  const some = await openAudioVisual(root, 'AVAD', { ...small, windows: 'test', stride: 8 })
  expect(some.length).toBe(3)
  expect((await some.get(2))!.frame).toBe(16)
})

test("splits and folds are the lists'", async () => {
  const root = await tree({ videos: { V1: { frames: 4 }, V2: { frames: 4 }, V3: { frames: 4 } }, list: 'V1 4 25' })
  await write(join(root, 'fold_lists/AVAD_list_test_1_fps.txt'), 'V3 4 25')
  await write(join(root, 'fold_lists/AVAD_list_train_3_fps.txt'), 'V2 4 25\r\nV3 4 25\r\n')
  const videos = async (options: object): Promise<readonly string[]> => (await openAudioVisual(root, 'AVAD', { ...small, ...options })).videos
  expect(await videos({})).toEqual(['AVAD/V1'])
  expect(await videos({ split: 'test' })).toEqual(['AVAD/V3'])
  expect(await videos({ fold: 3 })).toEqual(['AVAD/V2', 'AVAD/V3'])
  await expectDiffSalError(() => videos({ fold: 2 }), 'ERR_DIFFSAL_FILE', /AVAD_list_train_2_fps\.txt.*does not exist/)
  await expectDiffSalError(() => videos({ fold: 4 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'fold'/)
  await expectDiffSalError(() => videos({ split: 'validation' }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'split'/)
  await expectDiffSalError(() => videos({ flip: true }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'flip'/)
  await expectDiffSalError(() => openAudioVisual(root, 'AVD' as 'AVAD'), 'ERR_DIFFSAL_INVALID_ARGUMENT', /did you mean 'AVAD'/)
})

test('ground truth at its own size', async () => {
  const root = await tree()
  const dataset = await openAudioVisual(root, 'AVAD', small)
  const truth = (await dataset.truth('AVAD/V1', 5))!
  expect([truth.density!.shape, truth.fixations!.shape]).toEqual([
    [12, 16],
    [12, 16],
  ])
  expect(truth.density!.data[0]).toBeCloseTo(0, 1)
  expect(truth.density!.data[191]).toBeCloseTo(1, 1)
  expect([...truth.fixations!.data].flatMap((value, i) => (value ? [i] : []))).toEqual([2 * 16 + 5])
  expect(await dataset.truth('AVAD/V1', 20)).toBeUndefined()
  expect(await dataset.truth('AVAD/V9', 0)).toBeUndefined()
  expect(await dataset.truth('AVAD/V1', -1)).toBeUndefined()
  // Fixations of another size than the map's are brought to it.
  await write(join(root, 'annotations/AVAD/V1/fixMap_00006.mat'), fixationMat(24, 32, [[5, 11]]))
  expect((await dataset.truth('AVAD/V1', 5))!.fixations).toEqual(truth.fixations)
})

test('predictions are scored against it', async () => {
  const root = await tree()
  const dataset = await openAudioVisual(root, 'AVAD', small)
  async function* predictions(): AsyncGenerator<FramePrediction> {
    for (const frame of [3, 4, 99]) {
      const data = Float32Array.from({ length: 48 }, (_, i) => (i >= 24 ? 1 : 0))
      yield { video: 'AVAD/V1', frame, tensor: { dtype: 'float32', shape: [1, 1, 6, 8], data } }
    }
  }
  const { frames, mean, videos } = await score(predictions(), dataset)
  expect([frames, Object.keys(videos)]).toEqual([2, ['AVAD/V1']])
  // The map is where the density is; the one fixation is not.
  expect(mean.cc).toBeGreaterThan(0.8)
  expect(mean.nss).toBeLessThan(0)
})

test('a map that is all zero: the sample is passed over, without decoding its clip', async () => {
  const root = await tree({ videos: { V1: { frames: 20, blackMaps: [11] } } })
  await writeFile(join(root, 'video_frames/AVAD/V1/img_00011.jpg'), 'damaged')
  const dataset = await openAudioVisual(root, 'AVAD', { ...small, faults: 'error' })
  expect(dataset.length).toBe(1)
  expect(await dataset.get(0)).toBeNull()
})

test('a missing frame: clips that need it are left out and it is named, or it is an error', async () => {
  const root = await tree({ videos: { V1: { frames: 20, skipFrames: [8, 9] } } })
  const warnings = listen()
  const dataset = await openAudioVisual(root, 'AVAD', { ...small, windows: 'test' })
  expect(warnings).toEqual([expect.stringMatching(/img_00008\.jpg' does not exist, one of 2 of 20 frames of 'AVAD\/V1'.*left out/)])
  const frames = await Promise.all(Array.from({ length: dataset.length }, async (_, i) => (await dataset.get(i))!.frame))
  expect(frames).toEqual([0, 1, 2, 3, 4, 5, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  await expectDiffSalError(() => openAudioVisual(root, 'AVAD', { ...small, faults: 'error' }), 'ERR_DIFFSAL_FILE', /img_00008\.jpg/)
})

test('a video that ends before its list says so', async () => {
  const root = await tree({ videos: { V1: { frames: 6 } }, list: 'V1 9 25' })
  const warnings = listen()
  const dataset = await openAudioVisual(root, 'AVAD', { ...small, windows: 'test' })
  expect(warnings).toEqual([expect.stringMatching(/has frames up to 6 only, but '.*list_train_1.*' says 9; the video ends there/)])
  expect(dataset.length).toBe(6)
  expect(framesOf((await dataset.get(5))!.frames)).toEqual([3, 4, 5, 5])
})

test('a video without a single frame is left out', async () => {
  const root = await tree({ videos: { V1: { frames: 6 }, V2: { frames: 2, skipFrames: [1, 2] } } })
  await write(join(root, 'video_frames/AVAD/V2/.keep'), '')
  const warnings = listen()
  expect((await openAudioVisual(root, 'AVAD', small)).videos).toEqual(['AVAD/V1'])
  expect(warnings).toEqual([expect.stringMatching(/V2' has no frames, but '.*' says 2; the video is left out/)])
})

test('missing maps: their clips are left out', async () => {
  const root = await tree({ videos: { V1: { frames: 6, skipMaps: [3, 6] } } })
  const warnings = listen()
  const dataset = await openAudioVisual(root, 'AVAD', { ...small, windows: 'test' })
  expect(warnings).toEqual([expect.stringMatching(/eyeMap_00003\.jpg' does not exist, one of 2 maps of 'AVAD\/V1'/)])
  expect(dataset.length).toBe(4)
  expect((await dataset.truth('AVAD/V1', 2))!.density).toBeUndefined()
  await expectDiffSalError(() => openAudioVisual(root, 'AVAD', { windows: 'test', faults: 'error' }), 'ERR_DIFFSAL_FILE', /eyeMap_00003/)
})

test('no maps at all: made of the fixations where a deviation is given', async () => {
  const root = await tree({ videos: { V1: { frames: 20, noMaps: true } } })
  await expectDiffSalError(() => openAudioVisual(root, 'AVAD', small), 'ERR_DIFFSAL_INVALID_ARGUMENT', /fixations but no density maps: give 'densitySigma'/)
  const dataset = await openAudioVisual(root, 'AVAD', { ...small, size: [12, 16], densitySigma: 1.5 })
  const { target } = (await dataset.get(0))!
  expect(target.data.indexOf(1)).toBe(2 * 16 + 10)
  expect(target.data[2 * 16 + 11]).toBeCloseTo(Math.exp(-1 / 4.5), 2)
  const truth = (await dataset.truth('AVAD/V1', 10))!
  expect(truth.density!.data[2 * 16 + 11]).toBeCloseTo(Math.exp(-1 / 4.5), 6)
})

test('a frame that does not decode: the sample is passed over with a warning, once, or it is an error', async () => {
  const root = await tree()
  const path = join(root, 'video_frames/AVAD/V1/img_00010.jpg')
  for (const [bytes, why] of [
    ['no picture', /img_00010\.jpg' is not a picture/],
    ['', /img_00010\.jpg' .*empty \(0 bytes\)/],
  ] as const) {
    await writeFile(path, bytes)
    const warnings = listen()
    const dataset = await openAudioVisual(root, 'AVAD', small)
    expect(await dataset.get(0)).toBeNull()
    expect(await dataset.get(0)).toBeNull()
    expect(warnings).toEqual([expect.stringMatching(why)])
    const strict = await openAudioVisual(root, 'AVAD', { ...small, faults: 'error' })
    await expectDiffSalError(() => strict.get(0), 'ERR_DIFFSAL_MEDIA', why)
  }
})

test('a cut-off picture and a damaged map are damage too', async () => {
  const root = await tree()
  const path = join(root, 'video_frames/AVAD/V1/img_00010.jpg')
  await writePicture(path, colourOf(9), 200, 300)
  await truncate(path, Math.floor((await stat(path)).size / 2))
  const dataset = await openAudioVisual(root, 'AVAD', { ...small, faults: 'error' })
  await expectDiffSalError(() => dataset.get(0), 'ERR_DIFFSAL_MEDIA', /img_00010\.jpg/)
  await writePicture(path, colourOf(9))
  expect(await dataset.get(0)).not.toBeNull()
  await writeFile(join(root, 'annotations/AVAD/V1/maps/eyeMap_00011.jpg'), 'none')
  await expectDiffSalError(() => dataset.get(0), 'ERR_DIFFSAL_MEDIA', /eyeMap_00011\.jpg/)
  await expectDiffSalError(() => dataset.truth('AVAD/V1', 10), 'ERR_DIFFSAL_MEDIA', /eyeMap_00011\.jpg/)
  const warnings = listen()
  expect(await (await openAudioVisual(root, 'AVAD', small)).truth('AVAD/V1', 10)).toBeUndefined()
  expect(warnings).toEqual([expect.stringMatching(/eyeMap_00011\.jpg' is not a picture/)])
})

test('a list that names a missing video: the video is left out, or it is an error', async () => {
  const root = await tree({ list: 'Gone 20 25\nV1 20 25' })
  const warnings = listen()
  const dataset = await openAudioVisual(root, 'AVAD', small)
  expect(dataset.videos).toEqual(['AVAD/V1'])
  expect(warnings).toEqual([expect.stringMatching(/video_frames\/AVAD\/Gone' does not exist, though '.*' names 'Gone'; the video is left out/)])
  await expectDiffSalError(() => openAudioVisual(root, 'AVAD', { faults: 'error' }), 'ERR_DIFFSAL_FILE', /'Gone'/)
})

test('a missing sound is silence with a warning, a stereo one is averaged', async () => {
  const stereo = wavFile(
    2,
    8000,
    16,
    numbers(
      'i16',
      Array.from({ length: 12800 }, (_, i) => (i % 2 ? 8192 : 16384)),
    ),
  )
  const root = await tree({ videos: { Mute: { frames: 20, sound: null }, Stereo: { frames: 20, sound: stereo } } })
  const warnings = listen()
  const dataset = await openAudioVisual(root, 'AVAD', small)
  expect(warnings).toEqual([expect.stringMatching(/Mute\.wav' does not exist; 'AVAD\/Mute' is heard as silence/)])
  expect((await dataset.get(0))!.audio).toEqual({ samples: new Float32Array(4 * 640), sampleRate: 16_000 })
  expect((await dataset.get(1))!.audio).toEqual({ samples: new Float32Array(4 * 320).fill(0.375), sampleRate: 8000 })
})

test('a sound of another coding is decoded by ffmpeg; a damaged one is a fault', async () => {
  const root = await tree()
  const path = join(root, 'video_audio/AVAD/V1/V1.wav')
  await ffmpeg('-f', 'lavfi', '-i', 'sine=frequency=440:duration=0.8', '-c:a', 'pcm_alaw', path)
  const dataset = await openAudioVisual(root, 'AVAD', small)
  const { samples, sampleRate } = (await dataset.get(0))!.audio!
  expect([samples.length, sampleRate]).toEqual([4 * 640, 16_000])
  expect(Math.max(...samples)).toBeCloseTo(0.125, 2)
  await writeFile(path, 'no sound')
  const strict = await openAudioVisual(root, 'AVAD', { ...small, faults: 'error' })
  await expectDiffSalError(() => strict.get(0), 'ERR_DIFFSAL_MEDIA', /V1\.wav/)
})

test("names of another case than the list's are found, and pictures of other extensions and paddings", async () => {
  const root = await tree({ videos: { v1_SPEECH: { frames: 6 } }, list: 'V1_Speech 6 25', listName: 'avad_LIST_train_1_fps.TXT' })
  const frames = join(root, 'video_frames/AVAD/v1_SPEECH')
  await rename(join(frames, 'img_00001.jpg'), join(frames, 'img_00001.JPG'))
  await rename(join(frames, 'img_00003.jpg'), join(frames, 'img_3.jpeg'))
  await write(join(frames, 'Thumbs.db'), 'x')
  const dataset = await openAudioVisual(root, 'AVAD', { ...small, windows: 'test', faults: 'error' })
  expect(framesOf((await dataset.get(2))!.frames)).toEqual([0, 1, 2, 3])
  expect((await dataset.get(2))!.audio!.samples.some((value) => value !== 0)).toBe(true)
})

test('an empty dataset says why', async () => {
  const root = await tree()
  const open = (): Promise<unknown> => openAudioVisual(root, 'AVAD', small)
  await write(join(root, 'fold_lists/AVAD_list_train_1_fps.txt'), '')
  await expectDiffSalError(open, 'ERR_DIFFSAL_INVALID_ARGUMENT', /The AVAD dataset is empty/)
  await write(join(root, 'fold_lists/AVAD_list_train_1_fps.txt'), 'V1 1 25')
  await expectDiffSalError(open, 'ERR_DIFFSAL_INVALID_ARGUMENT', /The AVAD dataset is empty/)
  await rm(join(root, 'fold_lists'), { recursive: true })
  await expectDiffSalError(open, 'ERR_DIFFSAL_FILE', /fold_lists.*does not exist/)
  await expectDiffSalError(() => openAudioVisual('', 'AVAD'), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'root'/)
})

test('an index outside is refused', async () => {
  const dataset = await openAudioVisual(await tree(), 'AVAD', small)
  for (const index of [-1, 1, 0.5]) await expectDiffSalError(() => dataset.get(index), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'index'/)
})

test('grey levels of a map are kept, from grey and from colour files', async () => {
  const root = await tree({ videos: { V1: { frames: 20, skipMaps: [11] } } })
  const map = join(root, 'annotations/AVAD/V1/maps/eyeMap_00011.png')
  await writeMap(map, 51)
  const target = async (): Promise<Float32Array> => (await (await openAudioVisual(root, 'AVAD', small)).get(0))!.target.data
  expect(await target()).toEqual(new Float32Array(48).fill(0.2))
  await writePicture(map, [51, 51, 51])
  expect(await target()).toEqual(new Float32Array(48).fill(0.2))
})

test('the sound of NTSC videos stays on their clock', async () => {
  const root = await tree({ videos: { V1: { frames: 20, fps: '29.97', sound: rampWav(1, 16_000) } } })
  const dataset = await openAudioVisual(root, 'AVAD', small)
  const { samples } = (await dataset.get(0))!.audio!
  expect(samples[0]! * 1e5).toBeCloseTo(Math.round((7.5 * 1001 * 16_000) / 30_000), 0)
  expect(samples.length).toBe(Math.round((11.5 * 1001 * 16_000) / 30_000) - Math.round((7.5 * 1001 * 16_000) / 30_000))
})
