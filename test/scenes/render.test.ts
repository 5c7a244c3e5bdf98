import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { readFrames } from '../../lib/media/frames.ts'
import { probe } from '../../lib/media/probe.ts'
import { readSound } from '../../lib/media/sound.ts'
import { pitchOf } from '../../lib/scenes/options.ts'
import { renderScene, type SceneTrack } from '../../lib/scenes/render.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { failingDisk } from '../support/failing-disk.ts'
import { runningFfmpegs } from '../support/media.ts'
import { expectEnd, runProgram } from '../support/run-program.ts'
import { strength } from '../support/scene-measures.ts'
import { temporaryPath } from '../support/temporary.ts'

const size = [96, 144] as const

test('a video with sound, and what is true in every frame of it', async () => {
  const [path, track] = [temporaryPath('new/scene.mp4'), temporaryPath('new/scene.json')]
  const done: number[] = []
  const rendered = await renderScene(path, { seconds: 7, size, seed: 3, shapes: [3, 3], track, onProgress: (k) => done.push(k) })
  expect(rendered).toEqual({ frames: 175, seconds: 7 })
  expect(done.at(-1)).toBe(175)
  expect(readdirSync(dirname(path)).sort()).toEqual(['scene.json', 'scene.mp4'])
  const info = await probe(path)
  expect(info.video).toMatchObject({ width: 144, height: 96, rate: { num: 25, den: 1 } })

  const truth = JSON.parse(readFileSync(track, 'utf8')) as SceneTrack
  expect(truth).toMatchObject({ fps: 25, size, sigma: 9.6 })
  expect([truth.shapes.length, truth.frames.length]).toEqual([3, 175])
  const lengths: number[] = []
  truth.frames.forEach(({ sounding }, k) => {
    if (k > 0 && sounding === truth.frames[k - 1]!.sounding) lengths[lengths.length - 1]! += 1
    else lengths.push(1)
  })
  expect(lengths.length).toBeGreaterThanOrEqual(4)
  for (const length of lengths.slice(0, -1)) {
    expect(length).toBeGreaterThanOrEqual(25)
    expect(length).toBeLessThanOrEqual(50)
  }

  // A shape, saturated, is at every place that the track tells; a ring has a hole, so the pixels around count too.
  let frame = 0
  for await (const { pixels } of readFrames({ ...info, video: info.video! }, size)) {
    for (const [x, y] of truth.frames[frame]!.centres) {
      let most = 0
      for (let v = Math.floor(y) - 10; v <= y + 10; v++) {
        for (let u = Math.floor(x) - 10; u <= x + 10; u++) {
          const [r, g, b] = pixels.subarray(3 * (v * 144 + u)) as unknown as [number, number, number]
          most = Math.max(most, Math.max(r, g, b) - Math.min(r, g, b))
        }
      }
      expect(most, `frame ${frame}`).toBeGreaterThan(70)
    }
    frame += 1
  }
  expect(frame).toBe(175)
  const chunks: Float32Array[] = []
  for await (const chunk of readSound({ ...info, audio: info.audio! })) chunks.push(chunk)
  const samples = Float32Array.from(chunks.flatMap((chunk) => [...chunk]))
  expect(Math.abs(samples.length - 7 * 16_000)).toBeLessThan(1100)
  const pitches = truth.shapes.map(({ hue }) => pitchOf(hue, 6))
  let heard = 0
  truth.frames.forEach(({ sounding }, k) => {
    const part = samples.subarray(Math.max(0, k * 640 - 320), k * 640 + 320)
    const found = pitches.map((pitch) => strength(part, pitch))
    if (Math.max(...found) < 0.02) return
    heard += 1
    expect(found.indexOf(Math.max(...found)), `frame ${k}`).toBe(sounding)
  })
  expect(heard).toBeGreaterThan(100)
})

test('an abort or a bad option leaves nothing', async () => {
  const folder = temporaryPath('aborted')
  mkdirSync(folder)
  const controller = new AbortController()
  const reason = new Error('enough')
  const onProgress = (): void => controller.abort(reason)
  const options = { seconds: 60, size: [480, 640], signal: controller.signal, track: `${folder}/a.json`, onProgress } as const
  await expect(renderScene(`${folder}/deep/a.mp4`, options)).rejects.toBe(reason)
  await expect(renderScene(`${folder}/a.mp4`, options)).rejects.toBe(reason)
  const bad: [string, object, string][] = [
    ['a.avi', {}, 'path'],
    ['a.mp4', { size: [65, 96] }, 'even'],
    ['a.mp4', { seconds: 0 }, 'seconds'],
    ['a.mp4', { index: -1 }, 'index'],
    ['a.mp4', { track: 1 }, 'track'],
    ['a.mp4', { onProgress: 1 }, 'onProgress'],
    ['a.mp4', { second: 1 }, "'seconds'"],
    ['a.mp4', { signal: 1 }, 'signal'],
  ]
  for (const [name, given, word] of bad) {
    await expectDiffSalError(() => renderScene(`${folder}/${name}`, given), 'ERR_DIFFSAL_INVALID_ARGUMENT', word)
  }
  expect(readdirSync(folder)).toEqual([])
  expect(await runningFfmpegs()).toEqual([])
})

test('a disk that fails leaves the old file and nothing else', async () => {
  const path = temporaryPath('failing/scene.mp4')
  mkdirSync(dirname(path))
  writeFileSync(path, 'old')
  const [ENOSPC, EIO, EACCES] = [28, 5, 13]
  const faults = [`write ${ENOSPC} 0`, `write ${ENOSPC} 20000`, `write ${EIO} 400`, `fsync ${EIO}`, `rename ${EACCES}`]
  const ended = await runProgram('render.mjs', [path, ...faults], { env: { LD_PRELOAD: failingDisk() } })
  expectEnd(ended, 0)
  const answers = JSON.parse(ended.stdout) as { code: string; message: string; argument: string; files: string[] }[]
  expect(answers.map(({ code, argument, files }) => [code, argument, files])).toEqual(
    faults.map((_, i) => [i < 2 ? 'ERR_DIFFSAL_NO_SPACE' : 'ERR_DIFFSAL_FILE', path, ['scene.mp4']]),
  )
  expect(readFileSync(path, 'utf8')).toBe('old')
})
