import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { resolveConfig } from '../../../lib/config.ts'
import { DiffSal, presets, type SceneTrack } from '../../../lib/index.ts'
import { probe } from '../../../lib/media/probe.ts'
import { readRunConfig } from '../../../lib/run/config.ts'
import { inProcessCli } from '../../support/in-process-cli.ts'
import { temporaryPath } from '../../support/temporary.ts'
import { trainingConfig, trainingRun } from '../../support/training.ts'

let [weights, seeing] = ['', '']
beforeAll(async () => {
  ;[weights, seeing] = [temporaryPath('both.safetensors'), temporaryPath('seeing.safetensors')]
  for (const [path, config] of [
    [weights, {}],
    [seeing, { audio: false }],
  ] as const) {
    const model = await DiffSal.create({ ...trainingConfig, ...config }, trainingRun)
    await model.save(path)
    await model.dispose()
  }
})

const run = (...args: string[]): ReturnType<typeof inProcessCli> =>
  inProcessCli(['benchmark', 'scenes', '--weights', weights, '--length', '3', '--threads', '1', ...args])

test('prints the table, what its numbers are, and writes a page that needs nothing else', async () => {
  const report = temporaryPath('pages/scenes.html')
  const { code, stdout, stderr } = await run('--steps', '1,2', '--report', report)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(stderr).toContain('scoring sounding scenes: 3/3')
  const lines = stdout.split('\n')
  expect(lines[0]).toMatch(/both\.safetensors' on 3 sounding scenes, seed 0, in \d+ s\.$/)
  expect(lines[2]).toMatch(/^ +steps +CC +SIM +NSS +AUC-J +hits +CC over pictures$/)
  expect(lines[5]).toMatch(/^the true map itself +– +0\.9\d\d ±0\.0\d\d .* 100\.0 % ±0\.0 /)
  const titles = ['the right sound', 'the right sound', "another scene's sound", 'silence', 'the sound left out', 'pitch the only cue', 'loudness the only cue']
  expect(lines.slice(6, 13).map((line) => /^model, (.*?) +\d+ /.exec(line)?.[1])).toEqual(titles)
  expect(stdout).toMatch(/All maps, those of the ceilings .* by the published scoring chain/)
  expect(stdout).toContain(`The report is '${report}'.`)

  const page = readFileSync(report, 'utf8')
  expect(page).toContain('<th scope="row">ceiling: the pictures alone</th>')
  expect(page.match(/<tr><th scope="row">/g)).toHaveLength(10)
  expect(page).toContain('<div class="strip" style="--columns: 5">')
  expect(page).toContain('<b>Frame</b><b>True map</b><b>model, the right sound</b><b>model, another scene&#39;s sound</b><b>model, silence</b>')
  expect(page.match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(15)
  expect(page).toContain('published scoring chain')
  expect(page).not.toMatch(/https?:|src="(?!data:)|href=|@import|url\(/)
})

test('--json is one object, without the pictures', async () => {
  const { code, stdout } = await run('--steps', '1', '--json', '--seed', '7', '--report', temporaryPath('json.html'))
  expect(code).toBe(0)
  const result = JSON.parse(stdout) as { rows: { kind: string; steps: number | null; cc: object }[] }
  expect(result).toMatchObject({ weights, device: expect.any(String), seed: 7, length: 3, comparedSteps: 1, rendered: [] })
  expect(result).not.toHaveProperty('pictures')
  expect(result.rows).toHaveLength(9)
  expect(result.rows[2]).toMatchObject({ kind: 'truth', steps: null, hits: { mean: 1, error: 0 } })
})

test('--render writes whole scenes with sound, the maps over them, and says how they follow the sound', async () => {
  const folder = temporaryPath('rendered')
  const { code, stdout } = await run('--steps', '1', '--render', folder, '--scenes', '2', '--seconds', '1')
  expect(code).toBe(0)
  const names = [1, 2].flatMap((n) => [`scene-${n}-overlay.mp4`, `scene-${n}.json`, `scene-${n}.mp4`])
  expect(readdirSync(folder).sort()).toEqual(names)
  for (const name of ['scene-1.mp4', 'scene-2-overlay.mp4']) {
    const { video, audio } = await probe(`${folder}/${name}`)
    expect([video!.height, video!.width]).toEqual([256, 512])
    expect(audio).not.toBeNull()
  }
  const track = JSON.parse(readFileSync(`${folder}/scene-1.json`, 'utf8')) as SceneTrack
  expect([track.size, track.frames.length]).toEqual([[256, 512], 25])
  expect(stdout.match(/scene-\d-overlay\.mp4': the map is highest at the sounding shape in \d+ % of 25 frames \(a guess: \d+ %\)/g)).toHaveLength(2)
})

test('a model that only sees has its rows, and no strips of sounds', async () => {
  const report = temporaryPath('seeing.html')
  const { code, stdout } = await inProcessCli([
    'benchmark',
    'scenes',
    '--weights',
    seeing,
    '--length',
    '2',
    '--threads',
    '1',
    '--steps',
    '2',
    '--report',
    report,
  ])
  expect(code).toBe(0)
  expect(stdout.match(/^model.*$/gm)).toEqual([expect.stringMatching(/^model, which only sees +2 /)])
  expect(readFileSync(report, 'utf8').match(/<img /g)).toHaveLength(6)
})

describe('wrong use', () => {
  test.each<[string, string[], number, RegExp]>([
    ['another benchmark', ['benchmark', 'scene'], 2, /Allowed choices are scenes/],
    ['no benchmark', ['benchmark'], 2, /missing required argument 'name'/],
    ['one scene', ['benchmark', 'scenes', '--length', '1'], 2, /It must be an integer from 2/],
    ['no steps', ['benchmark', 'scenes', '--steps', '1,,2'], 2, /different integers from 1 to 100000 with commas/],
    ['steps twice', ['benchmark', 'scenes', '--steps', '4,4'], 2, /different integers/],
    ['an unknown option', ['benchmark', 'scenes', '--step', '4'], 2, /Did you mean --steps\?/],
    ['no weights', ['benchmark', 'scenes', '--weights', 'none.safetensors'], 4, /none\.safetensors/],
  ])('%s', async (_, args, code, message) => {
    const result = await inProcessCli(args)
    expect(result).toMatchObject({ code, stdout: '' })
    expect(result.stderr).toMatch(message)
  })

  test('more steps than the model has times, or no place for the report', async () => {
    expect(await run('--steps', '2000')).toMatchObject({ code: 2, stderr: expect.stringMatching(/'steps\[0\]' must be an integer from 1 to 1000/) })
    const none = await run('--steps', '1', '--report', `${weights}/page.html`)
    expect(none).toMatchObject({ code: 6, stdout: '' })
    expect(existsSync(`${weights}/page.html`)).toBe(false)
  })
})

test('the recipe of the shipped weights is two configurations, the second from where the first ends', async () => {
  const [first, second] = [await readRunConfig('examples/train-scenes-1.json'), await readRunConfig('examples/train-scenes-2.json')]
  expect(resolveConfig(first.model)).toEqual(presets.scenes.config)
  expect(second.weights).toBe(`${first.output}/checkpoints/best.safetensors`)
  expect(second.test).toEqual([{ dataset: 'scenes', length: 500 }])
})
