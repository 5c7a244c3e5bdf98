import { mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { probe } from '../../../lib/media/probe.ts'
import { fakeCliHere } from '../../support/fake-cli.ts'
import { inProcessCli } from '../../support/in-process-cli.ts'
import { decodeFrames, ffmpeg, picture } from '../../support/media.ts'
import { temporaryPath } from '../../support/temporary.ts'

async function folder(name: string): Promise<string> {
  const path = temporaryPath(name)
  mkdirSync(path, { recursive: true })
  await ffmpeg(...picture('64x48', '10', 0.5), join(path, 'clip.mkv'))
  return path
}

const predict = ['predict', 'clip.mkv', '--random-weights', '1', '--steps', '1']

test('of a grey video with silence, neither the overlay nor the pictures show any heat', async () => {
  const cwd = temporaryPath('grey')
  mkdirSync(cwd, { recursive: true })
  const grey = join(cwd, 'grey.mkv')
  await ffmpeg(
    '-f',
    'lavfi',
    '-i',
    'color=gray:s=96x64:r=25:d=0.2',
    '-f',
    'lavfi',
    '-i',
    'anullsrc=r=16000:cl=mono',
    '-shortest',
    '-c:v',
    'ffv1',
    '-c:a',
    'pcm_s16le',
    grey,
  )
  const outputs = ['-o', join(cwd, 'overlay.mkv'), '--maps', join(cwd, 'maps')]
  const { code, stderr } = await inProcessCli(['predict', grey, '--preset', 'scenes', '--overlay', '--seed', '1', '--stride', '2', ...outputs])
  expect(code, stderr).toBe(0)
  const [before, after] = await Promise.all([grey, join(cwd, 'overlay.mkv')].map((path) => decodeFrames(path, 'rgb24', 96 * 64 * 3)))
  expect(after!.length).toBeGreaterThan(3)
  for (const frame of after!) for (const [i, value] of frame.entries()) if (Math.abs(value - before![0]![i]!) > 6) expect.fail(`pixel ${i} is ${value}`)
  for (const name of readdirSync(join(cwd, 'maps'))) {
    const { channels } = await sharp(join(cwd, 'maps', name)).stats()
    expect(channels[0]!.max, name).toBe(0)
  }
})

test('colours, lines, opacity and what is beside are taken, and told in the report', async () => {
  const cwd = await folder('flags')
  const look = ['--scale', '0,0.5', '--colour-map', 'viridis', '--opacity', '0.4', '--contours', '0.3,0.6', '--side-by-side']
  const { code, stdout, stderr } = await fakeCliHere([...predict, '--overlay', '-o', 'over.mkv', '--maps', 'maps', ...look, '--json'], { cwd })
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ look: { scale: [0, 0.5], colourMap: 'viridis', opacity: 0.4, contours: [0.3, 0.6], sideBySide: true } })
  expect((await probe(join(cwd, 'over.mkv'))).video).toMatchObject({ width: 128, height: 48 })
  expect(await sharp(join(cwd, 'maps/000000.png')).metadata()).toMatchObject({ width: 64, height: 48, channels: 3 })
})

test('the maps beside the video, with the usual lines', async () => {
  const cwd = await folder('beside')
  const { code, stdout, stderr } = await fakeCliHere([...predict, '-o', 'beside.mkv', '--side-by-side', '--json', '--contours'], { cwd })
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ look: { scale: 'video', contours: [0.25, 0.5, 0.75] } })
  expect((await probe(join(cwd, 'beside.mkv'))).video).toMatchObject({ width: 128, height: 48 })
})

test.each([
  [['--scale', 'all'], /--scale .*video, each, or two numbers/],
  [['--scale', '1,0'], /the second above the first/],
  [['--contours', '0,0.5'], /above 0 and below 1/],
  [['--colour-map', 'jet'], /--colour-map .*Allowed choices are heat, magma/],
  [['--opacity', '2'], /from 0 to 1/],
  [['--opacity', '0.5'], /'--opacity' must be left out without --overlay/],
  [['--side-by-side', '--maps', 'maps'], /'--side-by-side' must be left out where no video is written/],
  [['--maps', 'out.json'], /'--maps' must be a folder, or a file that ends in \.npy \(write 'out\.json\/' if/],
  [['--maps', 'maps.png'], /'--maps' must be a folder/],
])('%j is refused in a sentence, and leaves nothing', async (flags, sentence) => {
  const cwd = await folder(`refused-${flags.join('-').replace(/\W/g, '')}`)
  const { code, stderr } = await fakeCliHere([...predict, ...flags], { cwd })
  expect(stderr).toMatch(sentence)
  expect(code).toBe(2)
  expect(readdirSync(cwd)).toEqual(['clip.mkv'])
})

test('a folder whose name has a dot is one where it is there, or ends in a slash', async () => {
  const cwd = await folder('dotted')
  mkdirSync(join(cwd, 'maps.v1'))
  for (const name of ['maps.v1', 'maps.v2/']) expect(await fakeCliHere([...predict, '--maps', name], { cwd })).toMatchObject({ code: 0 })
  for (const name of ['maps.v1', 'maps.v2']) expect(readdirSync(resolve(cwd, name))).toHaveLength(5)
})
