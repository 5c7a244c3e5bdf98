import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { areMany } from '../../lib/many/are-many.ts'
import { findVideos } from '../../lib/many/find-videos.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

/** From the current folder, as users write it. */
let root = ''

beforeAll(() => {
  root = relative('.', resolve(temporaryPath('tree')))
  for (const name of [
    'videos/one.mp4',
    'videos/a/one.mp4',
    'videos/a/TWO.MOV',
    'videos/a/deep/three.webm',
    'videos/b/notes.txt',
    'videos/b/[x].mp4',
    'videos/b/x.mp4',
    'videos/.hidden/no.mp4',
    'videos/out/one-saliency.mp4',
    'more/one.mp4',
    'none/notes.txt',
  ]) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), name)
  }
  symlinkSync('..', join(root, 'videos/a/deep/round'))
})

const below = async (inputs: readonly string[], out = 'elsewhere') =>
  (
    await findVideos(
      inputs.map((input) => (input.startsWith('!') ? `!${join(root, input.slice(1))}` : input.startsWith('/') ? input : join(root, input))),
      join(root, out),
    )
  ).videos.map((video) => video.below)

describe('what is found', () => {
  test('a pattern: names below its part that is none, in order, links that go round only once', async () => {
    expect(await below(['videos/**/*.mp4'])).toEqual(['a/one.mp4', 'b/[x].mp4', 'b/x.mp4', 'one.mp4', 'out/one-saliency.mp4'])
    expect(await below(['videos/{a,b}/*.mp4'])).toEqual(['a/one.mp4', 'b/[x].mp4', 'b/x.mp4'])
    expect(await below(['videos/?/one.*'])).toEqual(['a/one.mp4'])
    expect(await below([resolve(root, 'videos/**/*.webm')])).toEqual(['a/deep/three.webm'])
  })

  test('a folder: what is a video by its name, in capitals too', async () => {
    expect(await below(['videos'])).toEqual(['a/TWO.MOV', 'a/deep/three.webm', 'a/one.mp4', 'b/[x].mp4', 'b/x.mp4', 'one.mp4', 'out/one-saliency.mp4'])
    expect(await below([resolve(root, 'videos/a')])).toEqual(['TWO.MOV', 'deep/three.webm', 'one.mp4'])
  })

  test('from within what is searched, all the same', async () => {
    const names = ['TWO.MOV', 'deep/three.webm', 'one.mp4']
    const start = process.cwd()
    try {
      process.chdir(join(root, 'videos/a'))
      expect((await findVideos(['.'], 'out')).videos.map((video) => video.below)).toEqual(names)
      process.chdir('deep')
      expect((await findVideos(['..'], 'out')).videos.map((video) => video.below)).toEqual(names)
      const { videos } = await findVideos(['../**/*.{MOV,webm}', '!../**/T*'], 'out')
      expect(videos).toEqual([{ path: '../deep/three.webm', below: 'deep/three.webm' }])
    } finally {
      process.chdir(start)
    }
  })

  test('several: below the folder that all share, each once', async () => {
    expect(await below(['videos/a/one.mp4', 'more/one.mp4'])).toEqual(['more/one.mp4', 'videos/a/one.mp4'])
    expect(await below(['videos/**/*.mp4', 'videos/one.mp4', 'videos'])).toHaveLength(7)
    expect(await below(['videos/a/one.mp4', 'videos/a/../a/one.mp4'])).toEqual(['one.mp4'])
  })

  test('paths open from where they were written', async () => {
    const { videos, searched } = await findVideos([join(root, 'videos/**/one.mp4'), join(root, 'more')], 'out')
    expect(videos.map(({ path }) => path)).toEqual(['more/one.mp4', 'videos/a/one.mp4', 'videos/one.mp4'].map((name) => join(root, name)))
    expect(searched).toEqual(['videos', 'more'].map((name) => resolve(root, name)))
  })

  test('without what a pattern leaves out, and the output folder', async () => {
    expect(await below(['videos', '!videos/b/**', '!videos/out/**'])).toEqual(['a/TWO.MOV', 'a/deep/three.webm', 'a/one.mp4', 'one.mp4'])
    expect(await below(['videos/**/*.mp4', '!videos/a/**'], 'videos/out')).toEqual(['b/[x].mp4', 'b/x.mp4', 'one.mp4'])
    symlinkSync('videos/out', join(root, 'link-to-out'))
    expect(await below(['videos/**/*.mp4', '!videos/a/**'], 'link-to-out')).toEqual(['b/[x].mp4', 'b/x.mp4', 'one.mp4'])
  })

  test('a file that looks like a pattern is a file, and one that is missing is told later', async () => {
    expect(await below(['videos/b/[x].mp4', 'videos/b/gone.mp4'])).toEqual(['[x].mp4', 'gone.mp4'])
  })
})

test('whether inputs are many', async () => {
  const many = (...inputs: string[]) => areMany(inputs.map((input) => (input === '-' || input.includes(':') ? input : join(root, input))))
  expect(await many('videos')).toBe(true)
  expect(await many('videos/*.mp4')).toBe(true)
  expect(await many('videos/one.mp4', 'more/one.mp4')).toBe(true)
  expect(await many('videos/one.mp4')).toBe(false)
  expect(await many('videos/b/[x].mp4')).toBe(false)
  expect(await many('videos/gone.mp4')).toBe(false)
  expect(await many('-')).toBe(false)
  expect(await many('https://example.org/*.mp4?a=[b]')).toBe(false)
})

describe('is refused', () => {
  const refused = (inputs: readonly string[], message: RegExp, out = 'elsewhere') =>
    expectDiffSalError(() => findVideos(inputs, join(root, out)), 'ERR_DIFFSAL_INVALID_ARGUMENT', message)

  test('what nothing is found by', async () => {
    await refused([join(root, 'videos/*.avi')], /'input' must be a pattern that matches a file, but '.*\*\.avi' came/)
    await refused([join(root, 'nowhere/**/*.mp4')], /must be a pattern that matches a file/)
    await refused([join(root, 'none')], /'input' must be a folder with videos in it \(mp4, .*; give a pattern for others\), but '.*none' came/)
    await refused([join(root, 'videos/**/one-*.mp4')], /but '.*', where all lies in the output folder came/, 'videos/out')
    await refused(['!x/*'], /'input' must be a file, a folder or a pattern besides those that leave out, but !x\/\* came/)
  })

  test('an address or standard input among them', async () => {
    for (const input of ['-', 'https://example.org/a.mp4'])
      await refused([join(root, 'videos'), input], /an address and standard input go alone, but '.*' came/)
  })
})

test('a folder that cannot be read is told, not passed over', async () => {
  const closed = temporaryPath('closed')
  mkdirSync(join(closed, 'inner'), { recursive: true })
  writeFileSync(join(closed, 'one.mp4'), '')
  chmodSync(dirname(closed), 0o755)
  chmodSync(join(closed, 'inner'), 0)
  // Root may read all: another user is asked.
  const isRoot = process.getuid!() === 0
  if (isRoot) process.seteuid!(65_534)
  try {
    await expectDiffSalError(
      () => findVideos([`${resolve(closed)}/**/*.mp4`], 'elsewhere'),
      'ERR_DIFFSAL_FILE',
      /^Cannot read '.*closed\/inner\/?': permission is denied/,
    )
  } finally {
    if (isRoot) process.seteuid!(0)
    chmodSync(join(closed, 'inner'), 0o755)
  }
})
