import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { spotClip } from '../../support/blob-clips.ts'
import { FakeModel } from '../../support/fake-model.ts'
import { ffmpegOfPath, ffmpegs } from '../../support/ffmpegs.ts'
import { inProcessCli } from '../../support/in-process-cli.ts'
import { ffmpeg } from '../../support/media.ts'
import { temporaryPath } from '../../support/temporary.ts'

test.each<[string, (out: string) => string[]]>([
  ['predict', (out) => ['--maps', join(out, 'a.npy')]],
  ['reframe', (out) => ['--aspect', '1:1', '--windows', join(out, 'w.json')]],
  ['thumbnail', (out) => ['-o', join(out, 't.png')]],
  // It needs a filter that the bundled ffmpeg lacks.
  ...(ffmpegOfPath === undefined ? [] : [['roi', (out: string) => ['-o', join(out, 'r.txt')]] as [string, (out: string) => string[]]]),
  ['report', (out) => ['-o', join(out, 'r.html')]],
  ['view', (out) => ['-o', join(out, 'v.html')]],
])('%s --mirror has every window predicted mirrored too, and only so', async (command, outputs) => {
  vi.stubEnv('DIFFSAL_FFMPEG', ffmpegs[0]![1])
  const out = temporaryPath(`mirror-${command}`)
  mkdirSync(out)
  const input = join(out, 'clip.mp4')
  await ffmpeg('-i', await spotClip(`mirror-${command}.mkv`, '0.5', 12), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', input)
  const asked = async (...flags: string[]) => {
    const model = new FakeModel()
    const args = [command, input, '--weights', 'any.safetensors', '--video-only', '--seed', '1', ...outputs(out), ...flags]
    const { code, stderr } = await inProcessCli(args, undefined, async () => model)
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(model.calls.length).toBeGreaterThan(0)
    return new Set(model.calls.map(({ options }) => options.mirror ?? false))
  }
  expect(await asked()).toEqual(new Set([false]))
  expect(await asked('--mirror')).toEqual(new Set([true]))
})

test('of many videos, --mirror makes those anew that were predicted without it', async () => {
  const out = temporaryPath('mirror-many')
  mkdirSync(out)
  for (const name of ['a', 'b']) copyFileSync(await spotClip(`mirror-${name}.mkv`, '0.5', 4), join(out, `${name}.mkv`))
  const asked = async (...flags: string[]) => {
    const model = new FakeModel()
    const args = ['predict', join(out, '*.mkv'), '--random-weights', '1', '--video-only', '--seed', '1', '-o', join(out, 'maps'), ...flags]
    const { code, stderr } = await inProcessCli(args, undefined, async () => model)
    expect({ code, stderr }).toMatchObject({ code: 0 })
    return model.calls.map(({ options }) => options.mirror ?? false)
  }
  expect(await asked()).toEqual(Array(8).fill(false))
  expect(await asked()).toEqual([])
  expect(await asked('--mirror')).toEqual(Array(8).fill(true))
})
