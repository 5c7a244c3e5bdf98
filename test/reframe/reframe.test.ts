import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { cropFilter, cropVideo, type ReframeOptions, type Reframing } from '../../lib/index.ts'
import { probe } from '../../lib/media/probe.ts'
import { reframe } from '../../lib/reframe.ts'
import { spotClip } from '../support/blob-clips.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { FakeModel } from '../support/fake-model.ts'
import { ffmpegs } from '../support/ffmpegs.ts'
import { decodeFrames, ffmpeg, frameTimes, runningFfmpegs, tone } from '../support/media.ts'
import { sceneClip } from '../support/shot-clips.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(async () => {
  vi.unstubAllEnvs()
  expect(await runningFfmpegs()).toEqual([])
})

const follow = (path: string, options?: ReframeOptions): Promise<Reframing> => reframe(new FakeModel(), path, { seed: 1, stride: 2, ...options })

/** The greatest speed and acceleration over each shot, in window's lengths, by differences between frames. */
function greatest({ frames, window }: Reframing): { speed: number; acceleration: number } {
  let [speed, acceleration] = [0, 0]
  for (let i = 2; i < frames.length; i++) {
    const [a, b, c] = frames.slice(i - 2, i + 1)
    if (a!.shot !== c!.shot) continue
    const h = b!.time - a!.time
    speed = Math.max(speed, Math.abs(b!.x - a!.x) / h / window[1], Math.abs(c!.x - b!.x) / h / window[1])
    acceleration = Math.max(acceleration, Math.abs(c!.x - 2 * b!.x + a!.x) / h ** 2 / window[1])
  }
  return { speed, acceleration }
}

test('two spots that are bright in turn: the window goes to each, within its speed and acceleration', async () => {
  const path = await spotClip('turns.mkv', 'if(lt(mod(t\\,6)\\,3)\\,0.2\\,0.8)', 225)
  // As one shot: what jumps over half the picture is small.
  const found = await follow(path)
  expect(found.size).toEqual([90, 160])
  expect(found.window).toEqual([90, 50])
  expect(found.frames.map(({ frame, shot, y }) => [frame, shot, y])).toEqual(Array.from({ length: 225 }, (_, k) => [k, 0, 0]))
  const { speed, acceleration } = greatest(found)
  expect(speed).toBeGreaterThan(0.5)
  expect(speed).toBeLessThanOrEqual(1 + 1e-6)
  expect(acceleration).toBeLessThanOrEqual(2 + 1e-6)
  for (const [k, place] of [
    [30, 0.2],
    [40, 0.2],
    [115, 0.8],
    [125, 0.8],
    [190, 0.2],
    [220, 0.2],
  ] as const) {
    expect(place * 160, `${k}`).toBeGreaterThan(found.frames[k]!.x)
    expect(place * 160, `${k}`).toBeLessThan(found.frames[k]!.x + 50)
  }
  const slow = greatest(await follow(path, { speed: 0.5, acceleration: 0.3 }))
  expect(slow.speed).toBeLessThanOrEqual(0.5 + 1e-6)
  expect(slow.acceleration).toBeLessThanOrEqual(0.3 + 1e-6)
})

test('a spot in a faint expanse that holds more of the map than itself is in the window', async () => {
  const path = await spotClip('faint.mkv', '0.08', 12, { background: '0x602828' })
  const { frames, window } = await follow(path)
  for (const { x } of frames) {
    expect(x).toBeLessThanOrEqual(8)
    expect(x + window[1]).toBeGreaterThanOrEqual(20)
  }
})

test('a cut: the window is on what it follows in the first frame after it, and moves on neither side of it', async () => {
  const [left, right] = [await spotClip('left.mkv', '0.2', 50), await spotClip('right.mkv', '0.75', 50, { background: '0x009696' })]
  const path = temporaryPath('cut.mkv')
  await ffmpeg('-i', left, '-i', right, '-filter_complex', 'concat=n=2', '-c:v', 'libx264rgb', '-qp', '0', path)
  const found = await follow(path, { stride: 4 })
  const places = [
    [0, 0.2],
    [49, 0.2],
    [50, 0.75],
    [99, 0.75],
  ] as const
  for (const [k, place] of places) expect(Math.abs(found.frames[k]!.x + 25 - place * 160), `${k}`).toBeLessThan(6)
  expect(found.frames.map(({ shot }) => shot)).toEqual(Array.from({ length: 100 }, (_, k) => Number(k >= 50)))
  expect(greatest(found)).toEqual({ speed: 0, acceleration: 0 })
  // Without shots it must travel.
  const one = greatest(await follow(path, { stride: 4, shots: false }))
  expect(one.speed).toBeGreaterThan(0.5)
  expect(one.speed).toBeLessThanOrEqual(1 + 1e-6)
  expect(one.acceleration).toBeLessThanOrEqual(2 + 1e-6)
})

describe.each(ffmpegs)('%s', (_name, program) => {
  test('the video: what is in the window, frame for frame, with times and sound, and nothing beside it', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const path = await sceneClip(
      'source.mp4',
      [
        ['test', 20],
        ['bars', 20],
      ],
      [...tone(1.6)],
    )
    const { size } = await follow(path, { videoOnly: true })
    const still = {
      size,
      window: [180, 102] as const,
      frames: Array.from({ length: 40 }, (_, k) => ({ frame: k, time: k / 25, shot: 0, x: 20 + 2 * k, y: 0 })),
    }
    const output = temporaryPath('written/cropped.mp4')
    const told: unknown[] = []
    await cropVideo(path, still, output, { onProgress: (progress) => told.push(progress) })
    expect(told.at(-1)).toEqual({ frames: 40, of: 40 })
    expect(readdirSync(dirname(output))).toEqual(['cropped.mp4'])
    const result = await probe(output)
    expect(result.video).toMatchObject({ codec: 'h264', width: 102, height: 180, rate: { num: 25, den: 1 } })
    expect(result.audio).toMatchObject({ codec: 'aac' })
    expect(await frameTimes(output)).toEqual(await frameTimes(path))
    const [frames, originals] = [await decodeFrames(output, 'gray', 102 * 180), await decodeFrames(path, 'gray', 320 * 180)]
    expect(frames).toHaveLength(40)
    for (let k = 0; k < 40; k++) {
      let off = 0
      for (let y = 0; y < 180; y++) for (let x = 0; x < 102; x++) off += Math.abs(frames[k]![y * 102 + x]! - originals[k]![y * 320 + 20 + 2 * k + x]!)
      // Encoded once more. One pixel aside it would be several.
      expect(off / (102 * 180), `frame ${k}`).toBeLessThan(1.5)
    }
  })

  test('the filter script does the same as the windows say', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const path = await sceneClip('scripted.mkv', [['test', 30]])
    const frames = Array.from({ length: 30 }, (_, k) => ({ frame: k, time: k / 25, shot: 0, x: k < 10 ? 0 : 4 * k + 0.4, y: 0 }))
    const script = temporaryPath('script.txt')
    writeFileSync(script, cropFilter({ size: [180, 320], window: [180, 102], frames }))
    const output = temporaryPath('scripted-out.mkv')
    execFileSync(program, ['-nostdin', '-loglevel', 'error', '-y', '-i', path, '-filter_script:v', script, '-c:v', 'ffv1', output])
    const [cut, originals] = [await decodeFrames(output, 'gray', 102 * 180), await decodeFrames(path, 'gray', 320 * 180)]
    for (let k = 0; k < 30; k++) {
      const x = k < 10 ? 0 : 4 * k
      expect(cut[k]!.subarray(0, 102).equals(originals[k]!.subarray(x, x + 102)), `frame ${k}`).toBe(true)
    }
  })

  test('pixels that are not square, rotation, odd sizes and full range keep their looks', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const source = temporaryPath('plain.mp4')
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=0.4', '-vf', 'setsar=4/3', '-c:v', 'libx264', '-qp', '4', '-pix_fmt', 'yuv420p', source)
    const wide = await follow(source)
    // 320 × 4/3 wide and 180 high: 9:16 of the height is 101 as shown, 76 pixels.
    expect(wide.window).toEqual([180, 76])
    const output = temporaryPath('sar.mp4')
    await cropVideo(source, wide, output)
    expect((await probe(output)).video).toMatchObject({ width: 76, height: 180, pixelAspect: { num: 4, den: 3 } })

    const turned = temporaryPath('turned.mp4')
    await ffmpeg('-i', source, '-c', 'copy', '-metadata:s:v:0', 'rotate=90', turned)
    const upright = await follow(turned, { aspect: 1 })
    expect(upright.size).toEqual([320, 180])
    await cropVideo(turned, upright, output)
    const { video } = await probe(output)
    expect(video).toMatchObject({ width: upright.window[1], height: upright.window[0] })
    expect(video).not.toHaveProperty('turn')
    expect(upright.frames.every(({ x }) => x === 0)).toBe(true)

    const odd = temporaryPath('odd.mkv')
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=123x77:r=25:d=0.4', '-pix_fmt', 'yuvj420p', '-c:v', 'mjpeg', '-q:v', '2', odd)
    // Too slow to leave its place: its pixels are the video's own.
    const small = await follow(odd, { aspect: 1, speed: 0.001 })
    expect(small.window).toEqual([76, 76])
    await cropVideo(odd, small, output)
    const [frame, original] = [(await decodeFrames(output, 'gray', 76 * 76))[3]!, (await decodeFrames(odd, 'gray', 123 * 77))[3]!]
    const mean = (bytes: Buffer, at: (i: number) => number, count: number): number =>
      Array.from({ length: count }, (_, i) => bytes[at(i)]!).reduce((a, b) => a + b, 0) / count
    const x = Math.round(small.frames[3]!.x)
    const row = (bytes: Buffer, width: number, left: number): number => mean(bytes, (i) => (20 + Math.floor(i / 76)) * width + left + (i % 76), 76 * 30)
    expect(Math.abs(row(frame, 76, 0) - row(original, 123, x))).toBeLessThan(2)
    expect([(await probe(odd)).video!.colour.range, (await probe(output)).video!.colour.range]).toEqual(['pc', 'pc'])
  })
})

test('between pixels the picture is interpolated: a slow window glides', async () => {
  const path = temporaryPath('ramp.mkv')
  await ffmpeg('-f', 'lavfi', '-i', "color=black:s=320x64:r=25,format=gray,geq=lum='40+X/2'", '-frames:v', '10', '-c:v', 'ffv1', '-pix_fmt', 'yuv420p', path)
  for (const [x, y] of [
    [10.5, 0],
    [10.25, 0],
  ] as const) {
    const frames = Array.from({ length: 10 }, (_, k) => ({ frame: k, time: k / 25, shot: 0, x, y }))
    const output = temporaryPath('glide.mkv')
    await cropVideo(path, { size: [64, 320], window: [64, 100], frames }, output)
    const [frame] = await decodeFrames(output, 'gray', 100 * 64)
    let [sum, expected] = [0, 0]
    for (let i = 4; i < 96; i++) [sum, expected] = [sum + frame![32 * 100 + i]!, expected + 40 + (x + i) / 2]
    expect(Math.abs(sum - expected) / 92).toBeLessThan(0.6)
  }
})

test('a preview: the whole picture, dark outside of the window', async () => {
  const path = temporaryPath('white.mkv')
  await ffmpeg('-f', 'lavfi', '-i', 'color=0xC0C0C0:s=320x180:r=25:d=0.2', '-c:v', 'ffv1', '-pix_fmt', 'yuv420p', path)
  const frames = Array.from({ length: 5 }, (_, k) => ({ frame: k, time: k / 25, shot: 0, x: 100, y: 0 }))
  const output = temporaryPath('preview.mp4')
  await cropVideo(path, { size: [180, 320], window: [180, 102], frames }, output, { preview: true })
  const [frame] = await decodeFrames(output, 'gray', 320 * 180)
  const at = (x: number): number => frame![90 * 320 + x]!
  expect([at(50) < 90, at(150) > 170, at(250) < 90, at(100) > 200]).toEqual([true, true, true, true])
})

test('an aspect that is wider than the frame: the width stays, and the window moves up and down', async () => {
  const path = await spotClip('low.mkv', '0.5', 30, { y: '0.8' })
  const { window, frames } = await follow(path, { aspect: '21:9' })
  expect(window).toEqual([68, 160])
  expect(frames.every(({ x, y }) => x === 0 && y > 14 && y <= 22)).toBe(true)
  const same = await follow(path, { aspect: 16 / 9 })
  expect(same.window).toEqual([90, 160])
  expect(same.frames.every(({ x, y }) => x === 0 && y === 0)).toBe(true)
})

test('five maps a second by default, and progress', async () => {
  const model = new FakeModel()
  const seen: number[] = []
  await reframe(model, await spotClip('still.mkv', '0.5', 50), { onProgress: ({ maps }) => seen.push(maps) })
  expect(model.calls).toHaveLength(10)
  expect(seen.at(-1)).toBe(9)
})

test('an aborted reframing and writing leave nothing', async () => {
  const path = await spotClip('aborted.mkv', '0.5', 50)
  const reason = new Error('enough')
  const controller = new AbortController()
  await expect(follow(path, { signal: controller.signal, onProgress: () => controller.abort(reason) })).rejects.toBe(reason)
  const found = await follow(path)
  const output = temporaryPath('none/out.mp4')
  const writing = new AbortController()
  await expect(cropVideo(path, found, output, { signal: writing.signal, onProgress: () => writing.abort(reason) })).rejects.toBe(reason)
  expect(existsSync(dirname(output))).toBe(false)
})

test('what cannot be, before anything is predicted', async () => {
  const path = await spotClip('bad.mkv', '0.5', 3)
  const bad = async (options: unknown, ...parts: (string | RegExp)[]): Promise<void> => {
    const model = new FakeModel()
    await expectDiffSalError(() => reframe(model, path, options as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', ...parts)
    expect(model.calls).toEqual([])
  }
  await bad({ aspect: 0 }, /aspect.*9:16/)
  await bad({ aspect: '9:' }, /aspect/)
  await bad({ aspect: 0.02 }, /aspect.*16 pixels.*2 × 90 in a frame of 160 × 90/)
  await bad({ aspect: 50 }, /160 × 4/)
  await bad({ speed: 0 }, /speed/)
  await bad({ keep: 2 }, /keep/)
  await bad({ uncertainty: 3 }, /unknown option 'uncertainty'/)
  const sound = temporaryPath('sound.wav')
  await ffmpeg(...tone(1), sound)
  await expectDiffSalError(() => reframe(new FakeModel(), sound), 'ERR_DIFFSAL_MEDIA', /no video/)
  // One frame is no video to a model that sees.
  await expectDiffSalError(async () => follow(await spotClip('one.mkv', '0.5', 1)), 'ERR_DIFFSAL_MEDIA', /only one frame/)
  const found = await follow(path)
  const bytes = readFileSync(path)
  await expectDiffSalError(() => cropVideo(path, found, path), 'ERR_DIFFSAL_INVALID_ARGUMENT', /is the input/)
  expect(readFileSync(path).equals(bytes)).toBe(true)
  await expectDiffSalError(() => cropVideo(path, { ...found, window: [90, 400] }, 'x.mp4'), 'ERR_DIFFSAL_INVALID_ARGUMENT', /within the frame's 90 × 160/)
  await expectDiffSalError(() => cropVideo(path, { ...found, window: [90, 51] }, 'x.mp4'), 'ERR_DIFFSAL_INVALID_ARGUMENT', /even/)
  await expectDiffSalError(
    () => cropVideo(path, { ...found, frames: [{ ...found.frames[0]!, x: 150 }] }, 'x.mp4'),
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    /frames\[0\]\.x.*0 to 110/,
  )
  await expectDiffSalError(() => cropVideo(path, { ...found, size: [360, 640] }, 'x.mp4'), 'ERR_DIFFSAL_INVALID_ARGUMENT', /\[90, 160\]/)
  await expectDiffSalError(() => cropVideo(path, found, 'x.gif'), 'ERR_DIFFSAL_INVALID_ARGUMENT', /\.mp4/)
  expect(existsSync('x.mp4')).toBe(false)
})
