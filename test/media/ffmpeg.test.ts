import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { findFfmpeg } from '../../lib/media/ffmpeg.ts'
import { FfmpegProcess, fileUrl, lastWords, readFfmpeg, runFfmpeg } from '../../lib/media/ffmpeg-process.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { runningFfmpegs } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(() => vi.unstubAllEnvs())

function folder(name: string): string {
  const path = temporaryPath(name)
  mkdirSync(path, { recursive: true })
  return path
}

test('the peer package is used when nothing is named and PATH has no ffmpeg', async () => {
  vi.stubEnv('DIFFSAL_FFMPEG', undefined)
  vi.stubEnv('PATH', folder('empty-path'))
  const found = await findFfmpeg()
  expect(found.source).toBe('@ffmpeg-installer/ffmpeg')
  expect(found.version).toMatch(/\S/)
})

test('PATH goes before the peer package, an ffmpeg that does not run is passed over, DIFFSAL_FFMPEG goes before all', async () => {
  const { path: real } = await findFfmpeg()
  const broken = folder('broken-path')
  writeFileSync(`${broken}/ffmpeg`, '#!/bin/sh\nexit 3\n')
  chmodSync(`${broken}/ffmpeg`, 0o755)
  const good = folder('good-path')
  symlinkSync(real, `${good}/ffmpeg`)
  vi.stubEnv('DIFFSAL_FFMPEG', '')
  vi.stubEnv('PATH', `:${broken}:${good}`)
  expect(await findFfmpeg()).toMatchObject({ path: `${good}/ffmpeg`, source: 'PATH' })
  vi.stubEnv('DIFFSAL_FFMPEG', real)
  expect(await findFfmpeg()).toMatchObject({ path: real, source: 'DIFFSAL_FFMPEG' })
})

test.each([
  ['/nowhere/ffmpeg', 'there is no such file'],
  [temporaryPath('plain-file'), 'it is not executable'],
  ['/bin/true', 'does not answer'],
])('a DIFFSAL_FFMPEG that is no ffmpeg is an error that names it: %s', async (path, why) => {
  writeFileSync(temporaryPath('plain-file'), 'text', { mode: 0o644 })
  vi.stubEnv('DIFFSAL_FFMPEG', path)
  await expectDiffSalError(findFfmpeg, 'ERR_DIFFSAL_FFMPEG_MISSING', `DIFFSAL_FFMPEG is set to '${path}'`, why, 'unset it')
})

test('a file is named by the file protocol and an absolute path', () => {
  expect(fileUrl('-x')).toBe(`file:${process.cwd()}/-x`)
  expect(fileUrl('/a/concat:b|c')).toBe('file:/a/concat:b|c')
})

test('an exit code and the last words come back', async () => {
  const end = await runFfmpeg(['-loglevel', 'error', '-i', fileUrl('/nowhere.mp4')])
  expect(end.code).not.toBe(0)
  expect(end.killedBy).toBeNull()
  expect(lastWords(end)).toMatch(/No such file/)
})

test('output that is not read holds ffmpeg back, and leaving the loop kills it', async () => {
  // 25 frames, which would be out in a moment.
  const chunks = readFfmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=640x480:d=1', '-f', 'rawvideo', 'pipe:1'])
  const first = await chunks.next()
  expect(first.done).toBe(false)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  expect(await runningFfmpegs()).toHaveLength(1)
  await chunks.return({ code: 0, killedBy: null, log: '' })
  expect(await runningFfmpegs()).toEqual([])
})

test('a signal kills it and its reason comes out', async () => {
  const controller = new AbortController()
  const chunks = readFfmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=640x480', '-f', 'rawvideo', 'pipe:1'], controller.signal)
  await chunks.next()
  const reason = new Error('enough')
  controller.abort(reason)
  await expect(chunks.next()).rejects.toBe(reason)
  expect(await runningFfmpegs()).toEqual([])
  await expect(runFfmpeg(['-version'], { signal: controller.signal })).rejects.toBe(reason)
})

test('writing to an ffmpeg that has ended tells so and does not hang', async () => {
  const args = ['-loglevel', 'error', '-f', 'rawvideo', '-video_size', 'wrong', '-i', 'pipe:0', '-f', 'null', '-']
  const child = await FfmpegProcess.start(args, { input: true })
  let taken = true
  for (let i = 0; i < 200 && taken; i++) taken = await child.write(new Uint8Array(1 << 16))
  expect(taken).toBe(false)
  expect((await child.ended).code).not.toBe(0)
})
