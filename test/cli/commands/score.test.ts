import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { densityOfPoints } from '../../../lib/gaze/points.ts'
import { inProcessCli } from '../../support/in-process-cli.ts'
import { ffmpeg } from '../../support/media.ts'
import { makeOwnGaze } from '../../support/own-gaze.ts'
import { temporaryPath } from '../../support/temporary.ts'

let folder: string
beforeAll(async () => {
  folder = temporaryPath('own')
  await makeOwnGaze(folder)
})

interface Table {
  readonly title: string
  readonly scores: { readonly mean: Record<string, number>; readonly frames: number; readonly videos: Record<string, object> }
  readonly intervals: Record<string, { readonly low: number; readonly high: number }>
}

const within = async (...args: string[]) => {
  const result = await inProcessCli(args.map((one) => (/^(maps|truth)\b/.test(one) ? join(folder, one) : one)))
  return { ...result, tables: result.code === 0 && args.includes('--json') ? (JSON.parse(result.stdout) as { datasets: Table[] }).datasets : [] }
}

test("the commands of docs/gaze.md's own tracker run", async () => {
  const section = /## Your own eye tracker\n(.*?)\n## Read/s.exec(readFileSync('docs/gaze.md', 'utf8'))![1]!
  const commands = /```sh\n(.*?)```/s.exec(section)![1]!.trim().split('\n')
  expect(commands).toHaveLength(3)
  for (const command of commands) {
    const { code, stdout, stderr } = await within(...command.split(' ').slice(1))
    expect([command, code, stderr]).toEqual([command, 0, ''])
    for (const name of command.includes('--json')
      ? ['shuffledAuc', 'intervals']
      : ['CC', 'SIM', 'NSS', 'AUC-J', 'KL', 'IG', '95 % interval', 'half of the viewers'])
      expect(stdout).toContain(name)
  }
})

test('maps that are bright where people look score well, and others badly; the ceiling is of the same videos', async () => {
  const {
    tables: [scores, ceiling],
  } = await within('score', '--maps', 'maps', '--truth', 'truth', '--json', '--frames', '3')
  expect(scores!.scores.frames).toBe(9)
  expect(Object.keys(scores!.scores.videos)).toEqual(['truth/one.mp4', 'truth/three.mp4', 'truth/two.mp4'])
  expect(Object.keys(ceiling!.scores.mean).sort()).toEqual(Object.keys(scores!.scores.mean).sort())
  for (const name of ['cc', 'sim', 'nss', 'aucJudd', 'kl', 'shuffledAuc', 'informationGain']) {
    const { low, high } = scores!.intervals[name]!
    expect(low).toBeLessThanOrEqual(scores!.scores.mean[name]! + 1e-9)
    expect(high).toBeGreaterThanOrEqual(scores!.scores.mean[name]! - 1e-9)
  }
  expect(scores!.scores.mean.aucJudd).toBeGreaterThan(0.9)
  // Another video's maps: of 'one' as of 'two', which lie 0.4 of the width apart.
  const {
    tables: [wrong],
  } = await within('score', '--maps', 'maps/two', '--fixations', 'truth/one.csv', '--video', 'truth/one.mp4', '--json')
  expect(wrong!.scores.mean.aucJudd).toBeLessThan(scores!.scores.mean.aucJudd! - 0.3)
  expect(wrong!.scores.mean.cc).toBeLessThan(0)
})

test('a .npy of every second frame, its density as a perfect map', async () => {
  const size = [18, 32] as const
  const places = ['a', 'b', 'c', 'd'].map((_, v) => ({ x: 0.3 + 0.02 * v + 1 / 1920, y: 0.4 + 0.01 * v + 0.5 / 1080 }))
  const density = densityOfPoints(places, size, 0.1)
  mkdirSync(join(folder, 'maps-npy'))
  writeFileSync(join(folder, 'maps-npy/one.npy'), npy('<f4', [6, ...size], Buffer.concat(Array<Buffer>(6).fill(Buffer.from(density.data.buffer)))))
  const { code, stderr, stdout } = await inProcessCli([
    'score',
    '--maps',
    join(folder, 'maps-npy/one.npy'),
    '--fixations',
    join(folder, 'truth/one.csv'),
    '--video',
    join(folder, 'truth/one.mp4'),
    '--stride',
    '2',
    '--sigma',
    '0.1',
    '--no-blur',
    '--no-resize',
    '--json',
  ])
  expect([code, stderr]).toEqual([0, ''])
  const [table] = (JSON.parse(stdout) as { datasets: Table[] }).datasets
  expect(table!.scores.mean.cc).toBeGreaterThan(0.999)
  expect(table!.scores.mean.kl).toBeLessThan(0.01)
})

test('where the picture begins after the sound, maps are scored against the gaze of the moment at which a frame is shown', async () => {
  const late = temporaryPath('late')
  mkdirSync(late)
  writeFileSync(join(late, 'v.csv'), ['viewer,start_ms,duration_ms,x,y', 'a,0,1000,0.25,0.5', 'a,1000,5000,0.75,0.5'].join('\n'))
  const sources = ['-itsoffset', '1.2', '-f', 'lavfi', '-i', 'color=gray:s=64x36:r=10:d=0.5', '-f', 'lavfi', '-i', 'sine=d=1.7']
  await ffmpeg(...sources, '-map', '0:v', '-map', '1:a', '-c:v', 'ffv1', '-c:a', 'pcm_s16le', join(late, 'v.mkv'))
  const density = densityOfPoints([{ x: 0.75, y: 0.5 }], [18, 32], 0.1)
  writeFileSync(join(late, 'v.npy'), npy('<f4', [5, 18, 32], Buffer.concat(Array<Buffer>(5).fill(Buffer.from(density.data.buffer)))))
  const files = ['--maps', join(late, 'v.npy'), '--fixations', join(late, 'v.csv'), '--video', join(late, 'v.mkv')]
  const { code, stderr, stdout } = await inProcessCli(['score', ...files, '--sigma', '0.1', '--no-blur', '--no-resize', '--json'])
  expect([code, stderr]).toEqual([0, ''])
  const [table] = (JSON.parse(stdout) as { datasets: Table[] }).datasets
  expect(table!.scores.frames).toBe(5)
  expect(table!.scores.mean.cc).toBeGreaterThan(0.999)
})

describe('what cannot be scored is refused', () => {
  test.each<[string, string[], number, RegExp]>([
    ['no truth', ['--maps', 'maps'], 2, /'--truth' must be/],
    ['no rate', ['--maps', 'maps/one', '--fixations', 'truth/one.csv'], 2, /'--rate' must be .* or --video FILE/],
    ['maps of several videos with one table', ['--maps', 'maps', '--fixations', 'truth/one.csv', '--rate', '25'], 2, /'--maps' must be maps of one video/],
    ['no maps', ['--maps', 'truth', '--truth', 'truth'], 3, /holds no maps/],
    ['no folder', ['--maps', 'maps/none', '--truth', 'truth'], 3, /does not exist/],
    ['maps of another video', ['--maps', 'maps-odd', '--truth', 'truth'], 2, /called as the truth's videos \('one', 'three', 'two'\)/],
    ['a .npy that is cut', ['--maps', 'maps-cut.npy', '--truth', 'truth'], 3, /bytes where its shape needs/],
    ['a .npy of words', ['--maps', 'maps-words.npy', '--truth', 'truth'], 3, /its numbers are '<U4'/],
    ['maps of another size', ['--maps', 'maps', '--truth', 'truth', '--no-resize'], 2, /without resizing/],
  ])('%s', async (_, args, code, message) => {
    mkdirSync(join(folder, 'maps-odd'), { recursive: true })
    writeFileSync(join(folder, 'maps-odd/odd.npy'), npy('|u1', [1, 2, 2], Buffer.from([1, 2, 3, 4])))
    writeFileSync(join(folder, 'maps-cut.npy'), npy('<f4', [9, 2, 2], Buffer.alloc(16)))
    writeFileSync(join(folder, 'maps-words.npy'), npy('<U4', [1, 2, 2], Buffer.alloc(64)))
    const result = await within('score', ...args)
    expect(result.stderr).toMatch(message)
    expect(result.code).toBe(code)
  })
})

function npy(descr: string, shape: readonly number[], data: Buffer): Buffer {
  const header = `${`{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`.padEnd(117)}\n`
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}`, 'latin1')
  head.writeUInt16LE(118, 8)
  return Buffer.concat([head, data])
}
