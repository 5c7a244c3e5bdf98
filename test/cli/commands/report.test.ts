import type { ChildProcess } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { spotClip } from '../../support/blob-clips.ts'
import { fakeCli, fakeCliHere } from '../../support/fake-cli.ts'
import { inProcessCli } from '../../support/in-process-cli.ts'
import { temporaryPath } from '../../support/temporary.ts'

const cli = fakeCli()
const areas = [
  { name: 'spot', x: 20, y: 33, width: 24, height: 24 },
  { name: 'late', x: 0, y: 0, width: 20, height: 20, from: 1 },
]

async function folder(name: string): Promise<string> {
  const path = temporaryPath(name)
  mkdirSync(path)
  copyFileSync(await spotClip(`${name}.mkv`, '0.2', 40), join(path, 'clip.mkv'))
  writeFileSync(join(path, 'areas.json'), JSON.stringify(areas))
  return path
}

test('a page, JSON, and what is said', async () => {
  const cwd = await folder('report')
  const args = ['report', 'clip.mkv', '--video-only', '--seed', '3', '--no-shots']
  const { code, stdout, stderr } = await cli([...args, '--areas', 'areas.json'], { cwd })
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/maps\/s[^]*frames\/s/) })
  expect(stdout).toMatch(
    /^8 maps and 1 shot of 'clip\.mkv' in \d+ s, seed 3\. Mean concentration 0\.\d\d\.\nThe region that held most attention: 1\.\d\d s between 0\.00 and 1\.60 s, about pixel 3\d, 4\d\.\n {2}spot: 100\.0 % of attention on 4\.0 % of the picture, 1\.60 s; first look at 0\.00 s\.\n {2}late: 0\.0 % .*; no look at it\.\nWrote the report 'clip-report\.html'\.\n$/,
  )
  const page = readFileSync(join(cwd, 'clip-report.html'), 'utf8')
  expect(page).toContain('&quot;preset&quot;: &quot;gaze&quot;')
  const other = await fakeCliHere(
    [...args, '--areas', 'areas.json', '--look', '4', '--regions', '0', '--start', '0.4', '--end', '1.2', '-o', 'out/a.json', '--json'],
    {
      cwd,
    },
  )
  const said = JSON.parse(other.stdout)
  expect(said).toMatchObject({
    input: 'clip.mkv',
    output: 'out/a.json',
    maps: 4,
    start: 0.4,
    end: 1.2,
    look: 4,
    regions: [],
    areas: [{ name: 'spot' }, { name: 'late', from: 1 }],
    weights: { preset: 'gaze' },
    warnings: [],
  })
  for (const name of ['moments', 'picture']) expect(other.stdout).not.toContain(`"${name}"`)
  const written = JSON.parse(readFileSync(join(cwd, 'out/a.json'), 'utf8'))
  expect(written.areas[1].seconds).toBeCloseTo(0.2)
  expect(written.moments).toHaveLength(4)
  expect(readdirSync(cwd).sort()).toEqual(['areas.json', 'clip-report.html', 'clip.mkv', 'out'])
})

test('an interrupt leaves nothing', async () => {
  const cwd = await folder('stopped')
  let told = false
  const onStderr = (child: ChildProcess): void => void (told || ((told = true), child.kill('SIGINT')))
  const { code } = await cli(['report', 'clip.mkv', '--video-only', '--stride', '1'], { cwd, delay: 100, onStderr })
  expect(code).toBe(130)
  expect(readdirSync(cwd).sort()).toEqual(['areas.json', 'clip.mkv'])
})

test('what cannot be ends before the model is opened, and names the place', async () => {
  const cwd = await folder('bad')
  const open = async (): Promise<never> => expect.fail('the model was opened')
  const bad = async (code: number, words: RegExp, given: string | undefined, ...args: string[]): Promise<void> => {
    const file = join(cwd, 'areas.json')
    if (given !== undefined) writeFileSync(file, given)
    const { code: ended, stderr } = await inProcessCli(
      [
        'report',
        join(cwd, 'clip.mkv'),
        ...(given === undefined ? [] : ['--areas', file]),
        '-o',
        join(cwd, 'a.html'),
        ...args.map((word) => word.replace('CWD', cwd)),
      ],
      undefined,
      open,
    )
    expect([ended, stderr]).toEqual([code, expect.stringMatching(words)])
  }
  await bad(2, /areas\.json' is not JSON: .* \(line 2, column 11\)/, '[\n{ "name": logo }]')
  await bad(2, /In '.*areas\.json', 'areas' must be a list of 1 to 200 areas/, '{}')
  await bad(2, /In '.*areas\.json', 'areas' must be/, '[]')
  await bad(2, /In '.*areas\.json', 'areas\[0\]\.width' must be a number/, '[{ "name": "a", "x": 0, "y": 0, "width": "1", "height": 1 }]')
  await bad(2, /In '.*areas\.json', 'areas\[1\]\.name' must be another name/, JSON.stringify([areas[0], areas[0]]))
  await bad(2, /In '.*areas\.json', 'areas\[0\]' has an unknown option 'colour'/, JSON.stringify([{ ...areas[0], colour: 'red' }]))
  await bad(2, /In '.*areas\.json', 'areas\[0\]' must be within the frame of 160 × 90 pixels/, JSON.stringify([{ ...areas[0], x: 150 }]))
  await bad(2, /'areas\[0\]\.from' must be before the end/, JSON.stringify([{ ...areas[0], from: 9 }]))
  await bad(3, /none\.json': it does not exist/, undefined, '--areas', 'CWD/none.json')
  await bad(2, /\.html or \.json/, undefined, '-o', 'a.pdf')
  await bad(2, /is the input/, '[]'.replace('[]', JSON.stringify(areas)), '-o', 'CWD/areas.json')
  await bad(6, /directory/, undefined, '-o', 'CWD/folder.html', ...(mkdirSync(join(cwd, 'folder.html')), []))
  await bad(2, /from 1 to 1000/, undefined, '--look', '0')
  expect(readdirSync(cwd).sort()).toEqual(['areas.json', 'clip.mkv', 'folder.html'])
})
