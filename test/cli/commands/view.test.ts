import { existsSync, linkSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { fakeCli, fakeCliHere } from '../../support/fake-cli.ts'
import { ffmpeg, tone } from '../../support/media.ts'
import { temporaryPath } from '../../support/temporary.ts'

const cli = fakeCli()
let [clip, maps] = ['', '']

beforeAll(async () => {
  await mkdir(temporaryPath('view'), { recursive: true })
  clip = temporaryPath('view/clip.mp4')
  maps = temporaryPath('view/maps.npy')
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=25:d=1', ...tone(1), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', clip)
  const { code } = await fakeCliHere(['predict', clip, '--maps', maps, '--stride', '5', '--json'])
  expect(code).toBe(0)
})

/** The numbers of a page. */
const dataOf = (path: string) => JSON.parse(/id="data">([^<]*)</.exec(readFileSync(path, 'utf8'))![1]!)

test('a page of predicted maps, and of the same from a file', async () => {
  const [predicted, read] = [temporaryPath('view/predicted.html'), temporaryPath('view/read.html')]
  const { code, stdout } = await cli(['view', clip, '-o', predicted, '--stride', '5', '--seed', '3', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    input: clip,
    output: predicted,
    url: null,
    frames: 25,
    maps: 5,
    stride: 5,
    seed: 3,
    weights: { preset: 'gaze' },
    shots: [{ begins: 'video', start: 0 }],
    warnings: [],
  })
  const second = await fakeCliHere(['view', clip, '--maps', maps, '--stride', '5', '-o', read])
  expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/^5 maps and 1 shot of '.*clip\.mp4' in \d+ s\.\nWrote the page '.*read\.html'\.\n$/) })
  expect(dataOf(read)).toEqual(dataOf(predicted))
  expect(dataOf(read).maps.times).toEqual([0, 0.2, 0.4, 0.6, 0.8])
})

test('a part', async () => {
  const path = temporaryPath('view/part.html')
  expect(await fakeCliHere(['view', clip, '-o', path, '--start', '0.5', '--end', '0.9', '--stride', '2'])).toMatchObject({ code: 0 })
  expect(dataOf(path).maps.times).toEqual([0.52, 0.6, 0.68, 0.76, 0.84])
})

test('of standard input, of which nothing is left', async () => {
  const spool = temporaryPath('view/spool')
  await mkdir(spool)
  const [file, piped] = [temporaryPath('view/file.html'), temporaryPath('view/piped.html')]
  const options = { env: { TMPDIR: spool }, shell: ['bash', '-c', `"$@" < '${clip}'`, 'bash'] }
  expect(await fakeCliHere(['view', clip, '-o', file, '--stride', '5', '--seed', '3', '--end', '0.5'])).toMatchObject({ code: 0 })
  expect(await cli(['view', '-', '-o', piped, '--stride', '5', '--seed', '3', '--end', '0.5'], options)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^3 maps and 1 shot of 'standard input'/),
  })
  expect(dataOf(piped).maps).toEqual(dataOf(file).maps)
  expect(await cli(['view', '-', '-o', piped, '--beside', '--stride', '5'], options)).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/no file that could lie beside the page/),
  })
  expect(readdirSync(spool)).toEqual([])
})

test('served until it is interrupted', async () => {
  let told: Promise<[page: string, film: number]> | undefined
  const { code, stdout } = await cli(['view', clip, '--maps', maps, '--stride', '5', '--serve', '--json'], {
    onStderr: (child) => {
      // It works by now, and will print its address.
      told ??= new Promise((done, fail) => {
        let text = ''
        child.stdout!.on('data', (data: Buffer) => {
          text += data.toString()
          const url = /"url":"([^"]*)"/.exec(text)?.[1]
          if (url === undefined) return
          Promise.all([fetch(url).then((page) => page.text()), fetch(new URL('video', url), { headers: { Range: 'bytes=0-9' } }).then(({ status }) => status)])
            .then(done, fail)
            .finally(() => child.kill('SIGTERM'))
        })
      })
    },
  })
  const [page, film] = (await told)!
  expect(page).toContain('"film":{"address":"video"}')
  expect(film).toBe(206)
  expect(JSON.parse(stdout)).toMatchObject({ output: null, url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/) })
  expect(code).toBe(0)
})

test('what cannot be is refused before the model is opened', async () => {
  const path = temporaryPath('view/none.html')
  const refused = async (code: number, words: RegExp, ...args: string[]): Promise<void> => {
    const result = await fakeCliHere(['view', ...args])
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code, stderr: expect.stringMatching(words) })
    expect(result.stderr).not.toMatch(/maps\/s/)
  }
  await refused(2, /'-o' must be a page to write, or --serve/, clip)
  await refused(2, /ends in \.html/, clip, '-o', 'page.mp4')
  for (const flag of [
    ['--steps', '4'],
    ['--batch', '4'],
    ['--seed', '1'],
    ['--eta', '1'],
    ['--video-only'],
    ['--weights', 'any.safetensors'],
    ['--threads', '1'],
  ]) {
    await refused(2, new RegExp(`--maps <file>' cannot be used with option '${flag[0]}\\b`), clip, '--maps', maps, '--stride', '5', '-o', path, ...flag)
  }
  await refused(2, /0 to 65535/, clip, '--serve', '70000')
  const same = temporaryPath('view/same.html')
  linkSync(clip, same)
  await refused(2, /is the input/, clip, '-o', same)
  await refused(3, /nowhere\.mp4/, 'nowhere.mp4', '-o', path)
  const long = temporaryPath('view/long.mp4')
  await copyFile(clip, long)
  truncateSync(long, 40 * 2 ** 20)
  await refused(3, /32\.0 MiB.*--beside.*--serve/, long, '-o', path)
  await refused(2, /--stride 1 says: 25 for the 25 frames.*5 came/, clip, '--maps', maps, '-o', path)
  writeFileSync(temporaryPath('view/no.npy'), 'no')
  await refused(3, /NumPy/, clip, '--maps', temporaryPath('view/no.npy'), '-o', path)
  expect(existsSync(path)).toBe(false)
  expect(readdirSync(dirname(path)).filter((name) => name.startsWith('.'))).toEqual([])
}, 180_000)
