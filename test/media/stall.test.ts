import { chmodSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { FfmpegProcess, runFfmpeg } from '../../lib/media/ffmpeg-process.ts'
import { readFrames } from '../../lib/media/frames.ts'
import { LastText } from '../../lib/media/last-text.ts'
import { createMapVideo } from '../../lib/media/map-video.ts'
import { probe } from '../../lib/media/probe.ts'
import { rational } from '../../lib/media/rational.ts'
import { readSound } from '../../lib/media/sound.ts'
import { predictVideo } from '../../lib/predict-video.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { FakeModel } from '../support/fake-model.ts'
import { bundledFfmpeg } from '../support/bundled-ffmpeg.ts'
import { runningFfmpegs } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(() => vi.unstubAllEnvs())

const speaker = resolve('examples/speaker.mp4')

/** An ffmpeg that does something else in runs whose arguments have a word in them. */
function broken(word: string, instead: string): void {
  const path = temporaryPath(`broken-${word.replaceAll(/\W/g, '')}-${instead.length}`)
  writeFileSync(path, `#!/bin/bash\ncase " $* " in *"${word}"*) ${instead};; esac\nexec '${bundledFfmpeg}' "$@"\n`)
  chmodSync(path, 0o755)
  vi.stubEnv('DIFFSAL_FFMPEG', path)
}

async function drain(all: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of all) count += 1
  return count
}

const hang = 'exec sleep 1000'
const flood = "exec yes 'a complaint of no interest' >&2"

test.each([
  ['hangs', hang],
  ['floods standard error', flood],
])('an ffmpeg that %s is ended after the stall limit', async (_what, instead) => {
  const info = await probe(speaker)
  const limit = { stallLimit: 0.5 }
  broken('rawvideo', instead)
  const frames = (): unknown => drain(readFrames({ ...info, video: info.video! }, [32, 32], limit))
  await expectDiffSalError(frames, 'ERR_DIFFSAL_MEDIA', speaker, 'after 0 frames ffmpeg gave nothing for 0.5 s', 'stallLimit')
  broken('f32le', instead)
  await expectDiffSalError(() => drain(readSound({ ...info, audio: info.audio! }, limit)), 'ERR_DIFFSAL_MEDIA', 'gave nothing for 0.5 s', '--stall-limit')
  broken('showinfo', instead)
  await expectDiffSalError(() => probe(speaker, limit), 'ERR_DIFFSAL_FFMPEG_MISSING', 'DIFFSAL_FFMPEG')
  expect(await runningFfmpegs()).toEqual([])
})

test('the option of predictVideo', async () => {
  broken('rawvideo', hang)
  await expectDiffSalError(() => drain(predictVideo(new FakeModel(), speaker, { stallLimit: 0.5 })), 'ERR_DIFFSAL_MEDIA', 'gave nothing for 0.5 s')
  for (const stallLimit of [0, -1, Number.NaN, '1']) {
    await expectDiffSalError(
      () => drain(predictVideo(new FakeModel(), speaker, { stallLimit: stallLimit as number })),
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      "'stallLimit'",
    )
  }
})

test('an encoder that hangs is ended, and nothing is left', async () => {
  const info = await probe(speaker)
  broken('libx264', hang)
  const path = temporaryPath('hung.mp4')
  const writer = await createMapVideo(path, { ...info, audio: null }, [224, 384], rational(30, 1), { stallLimit: 0.5 })
  const writeAll = async (): Promise<void> => {
    for (let k = 0; k < 20; k++) await writer.write(k, new Float32Array(224 * 384))
    await writer.finish(20)
  }
  await expectDiffSalError(writeAll, 'ERR_DIFFSAL_FILE', path, 'nothing for 0.5 s')
  await writer.discard()
  expect(await runningFfmpegs()).toEqual([])
})

test('one that is not read from, or speaks now and then, does not stall', async () => {
  const info = await probe(speaker)
  const frames = readFrames({ ...info, video: info.video! }, [224, 384], { stallLimit: 0.6 })
  await frames.next()
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect(await drain(frames)).toBe(149)
  broken('slowly', 'for i in 1 2 3 4; do sleep 0.4; echo $i >&2; done; exit 0')
  expect(await runFfmpeg(['slowly'], { stallLimit: 1 })).toMatchObject({ code: 0, log: '1\n2\n3\n4\n' })
})

test('a growing file is a sign of life', async () => {
  const path = temporaryPath('growing')
  broken('growing', `for i in 1 2 3 4 5 6; do sleep 0.3; echo $i >> '${path}'; done; exit 0`)
  expect(await runFfmpeg(['growing'], { stallLimit: 0.7, grows: path })).toMatchObject({ code: 0 })
  expect(await runFfmpeg(['growing'], { stallLimit: 0.7 })).toMatchObject({ stalled: 0.7, killedBy: 'SIGKILL' })
})

test('while standard error floods, the program lives, keeps only the last of it and can be told to stop', async () => {
  broken('anything', flood)
  const controller = new AbortController()
  const child = await FfmpegProcess.start(['anything'], { signal: controller.signal, keep: 1000 })
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(child.log).toHaveLength(1000)
  controller.abort()
  expect(await child.ended).toMatchObject({ killedBy: 'SIGKILL' })
})

test('the last of a text', () => {
  const text = new LastText(10)
  for (let i = 0; i < 100; i++) text.add(`${i},`)
  expect(String(text)).toBe('96,97,98,99,'.slice(-10))
  text.add('x'.repeat(50))
  expect(String(text)).toBe('x'.repeat(10))
  text.add('')
  expect(String(text)).toHaveLength(10)
})
