import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { datasetNames } from '../../../lib/datasets/open-dataset.ts'
import type { TrainingEvent } from '../../../lib/index.ts'
import { runFolder } from '../../../lib/run/folder.ts'
import { lockRun } from '../../../lib/run/lock.ts'
import { audioVisualTree, colourOf, rampWav, writePicture } from '../../datasets/trees.ts'
import { datasetTree, treeVideos } from '../../support/dataset-trees.ts'
import { inProcessCli } from '../../support/in-process-cli.ts'
import { readScalars } from '../../support/event-files.ts'
import { numberedFrames } from '../../support/media.ts'
import { temporaryPath } from '../../support/temporary.ts'
import { trainingConfig } from '../../support/training.ts'

// What to type says npx where this was started by it.
vi.stubEnv('npm_command', '')

let runs = 0
let avad: Promise<string> | undefined

/** A copy of a tree of AVAD, which is made once. */
async function usualTree(root: string): Promise<void> {
  avad ??= datasetTree('AVAD', temporaryPath('AVAD')).then(() => temporaryPath('AVAD'))
  await cp(await avad, root, { recursive: true })
}

/** A configuration file in a folder of its own, with a tree in `data` beside it. Its run is in `run`. */
async function makeRun(config: object, tree: (root: string) => Promise<void> = usualTree): Promise<{ folder: string; file: string; run: string }> {
  const folder = temporaryPath(`run-${runs++}`)
  await mkdir(folder, { recursive: true })
  await tree(join(folder, 'data'))
  const file = join(folder, 'tiny.json')
  await writeFile(file, JSON.stringify({ ...tiny, ...config }))
  return { folder, file, run: join(folder, 'run') }
}

const tiny = {
  model: trainingConfig,
  seed: 4,
  threads: 1,
  train: [{ dataset: 'AVAD', root: 'data' }],
  epochs: 1,
  batch: 2,
  sampling: { steps: 1 },
  output: 'run',
}

function logOf(run: string): TrainingEvent[] {
  return readFileSync(join(run, 'log.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TrainingEvent)
}

/** The events without what depends on the machine. */
function essence(events: readonly TrainingEvent[]): unknown[] {
  return events.map((event) => {
    const { seconds: _, waited: __, rate: ___, remaining: ____, path: _____, ...rest } = event as unknown as Record<string, unknown>
    return rest
  })
}

/** Three videos to train on: an epoch of several steps. */
async function largerTree(root: string): Promise<void> {
  await audioVisualTree(root, { videos: { V1: { frames: 20 }, V2: { frames: 20 }, V3: { frames: 20 } } })
  await audioVisualTree(root, { videos: { V4: { frames: 3 } }, listName: 'AVAD_list_test_1_fps.txt' })
}

/** Five pictures and a video of eight frames, each looked at in its middle, and a sound. */
async function gazeTree(root: string): Promise<void> {
  const names = ['0.png', '1.png', '2.png', '3.png', '4.png']
  for (const [i, name] of names.entries()) await writePicture(join(root, name), colourOf(i), 32, 64)
  await writeFile(
    join(root, 'fixations.json'),
    JSON.stringify(
      Object.fromEntries(
        names.map((name) => [
          name,
          [
            ['a', 0.5, 0.5, 200],
            ['b', 0.55, 0.45, 200],
          ],
        ]),
      ),
    ),
  )
  await numberedFrames(join(root, 'v.mkv'), 8, '10')
  await writeFile(join(root, 'v.csv'), `viewer,time_ms,x,y\n${Array.from({ length: 100 }, (_, i) => `a,${i * 10},0.5,0.5\n`).join('')}`)
  await writeFile(join(root, 'hum.wav'), rampWav(2))
}

describe('every layout is trained on and scored', () => {
  test.each(datasetNames)('%s', async (name) => {
    const config = {
      train: [{ dataset: name, root: 'data', faults: 'error' }],
      validate: [{ dataset: name, root: 'data', split: 'test', stride: 2 }],
      test: [{ dataset: name, root: 'data' }],
      pictures: 2,
    }
    const { file, run } = await makeRun(config, (root) => datasetTree(name, root))
    const { code, stdout, stderr } = await inProcessCli(['train', file])
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const video = treeVideos(name).test
    expect(stdout).toMatch(/^Trained 1 epochs, \d+ steps/)
    expect(stdout).toContain(`  ${video} `)
    expect(readdirSync(run).sort()).toEqual(['checkpoints', 'config.json', 'log.jsonl', 'report.html', 'scores.json'])

    const { datasets } = JSON.parse(await readFile(join(run, 'scores.json'), 'utf8')) as {
      datasets: { title: string; scores: { videos: object; frames: number } }[]
    }
    expect(datasets).toHaveLength(1)
    expect(datasets[0]!.title).toBe(`${name}, test`)
    expect(datasets[0]!.scores.frames).toBe(3)
    const scores = Object.values(datasets[0]!.scores.videos)
    expect(Object.keys(datasets[0]!.scores.videos)).toEqual([video])
    for (const score of Object.values(scores[0] as Record<string, number>)) expect(score).toSatisfy(Number.isFinite)

    // evaluate, by the configuration and by flags, says the same as training did.
    const again = await inProcessCli(['evaluate', file, '--json'])
    expect({ code: again.code, stderr: again.stderr }).toMatchObject({ code: 0 })
    expect((JSON.parse(again.stdout) as { datasets: unknown }).datasets).toEqual(datasets)
    const flags = [
      '--weights',
      join(run, 'checkpoints/best.safetensors'),
      '--dataset',
      name,
      '--root',
      join(file, '../data'),
      '--steps',
      '1',
      '--batch',
      '2',
      '--threads',
      '1',
    ]
    const byFlags = await inProcessCli(['evaluate', ...flags, '--json'])
    expect((JSON.parse(byFlags.stdout) as { datasets: unknown }).datasets).toEqual(datasets)
  })
})

test('eye tracking is trained on and scored', async () => {
  const sets = { dataset: 'gaze', root: 'data', heldOut: ['3', 'v'] }
  const { file, run } = await makeRun(
    { train: [{ ...sets, augment: true, sounds: ['data/hum.wav'], soundShare: 1 }], test: [{ ...sets, stride: 2 }], pictures: 0 },
    gazeTree,
  )
  const { code, stdout, stderr } = await inProcessCli(['train', file])
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(stdout).toMatch(/^Trained 1 epochs, 2 steps/)
  const { datasets } = JSON.parse(await readFile(join(run, 'scores.json'), 'utf8')) as {
    datasets: { title: string; scores: { videos: Record<string, Record<string, number>>; frames: number } }[]
  }
  expect(datasets.map(({ title, scores }) => [title, scores.frames])).toEqual([['gaze, test', 5]])
  expect(Object.keys(datasets[0]!.scores.videos)).toEqual(['data/3.png', 'data/v.mkv'])
  for (const scores of Object.values(datasets[0]!.scores.videos)) for (const score of Object.values(scores)) expect(score).toSatisfy(Number.isFinite)
  const again = await inProcessCli(['evaluate', file, '--json'])
  expect({ code: again.code, stderr: again.stderr }).toMatchObject({ code: 0 })
  expect((JSON.parse(again.stdout) as { datasets: unknown }).datasets).toEqual(datasets)
})

test('stills are trained on, and clips scored; where they cannot be used, they are refused before anything is trained', async () => {
  const model = { ...trainingConfig, videoEncoder: { name: 's3d', width: 0.1, embedDim: 16 } }
  const sets = { dataset: 'gaze', root: 'data', heldOut: ['3', 'v'] }
  const stills = { ...sets, stills: true, augment: true }
  const { file, run } = await makeRun({ model, train: [stills], validate: [{ ...sets, stride: 2 }], pictures: 0 }, gazeTree)
  const { code, stderr } = await inProcessCli(['train', file])
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(logOf(run).map(({ type }) => type)).toEqual(expect.arrayContaining(['step', 'validation']))
  const refused = [
    [{ model: trainingConfig, train: [stills] }, /train\[0\]\.stills.*'paper' with the video encoder 's3d'/],
    [{ train: [stills, { ...sets, root: 'other' }] }, /train\[1\]\.stills.*all entries of 'train', or in none/],
    [{ validate: [sets, stills] }, /validate\[1\]\.stills.*scored on clips/],
    [{ test: [stills] }, /test\[0\]\.stills.*scored on clips/],
  ] as const
  for (const [config, message] of refused) {
    const bad = await makeRun({ model, train: [sets], pictures: 0, ...config }, gazeTree)
    const ended = await inProcessCli(['train', bad.file])
    expect(ended, String(message)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) as string })
  }
})

describe('an interrupted run', () => {
  const config = {
    train: [{ dataset: 'AVAD', root: 'data', windows: 'test', stride: 4 }],
    validate: [{ dataset: 'AVAD', root: 'data', split: 'test', stride: 2 }],
    trainer: { lr: 1e-3, schedule: { kind: 'multistep', milestones: [0.5, 1.5], unit: 'epochs' }, ema: 0.9 },
    epochs: 2,
    batch: 4,
    pictures: 1,
  }

  test('goes on by the command that it says, and ends as one that was never stopped', async () => {
    const whole = await makeRun(config, largerTree)
    expect(await inProcessCli(['train', whole.file])).toMatchObject({ code: 0 })
    const stopped = await makeRun(config, largerTree)
    let interrupted = false
    const first = await inProcessCli(['train', stopped.file], (text) => {
      if (interrupted || !/step \d+, loss/.test(text)) return
      interrupted = true
      process.emit('SIGINT')
    })
    expect(first.code).toBe(130)
    expect(first.stdout).toBe('')
    const said = /^diffsal: Interrupted after step (\d+)\. Go on with: diffsal (train .* --resume)$/m.exec(first.stderr)!
    const steps = logOf(whole.run).filter(({ type }) => type === 'step').length
    expect(Number(said[1])).toBeLessThan(steps)
    expect(readFileSync(join(stopped.run, 'report.html'), 'utf8')).toContain('of 2 epochs are trained')
    expect(logOf(stopped.run).at(-1)).toMatchObject({ type: 'checkpoint', step: Number(said[1]) })
    expect(readdirSync(join(stopped.run, 'checkpoints'))).toEqual([`step-0000000${said[1]}.safetensors`])

    const second = await inProcessCli(said[2]!.split(' '))
    expect({ code: second.code, stderr: second.stderr }).toMatchObject({ code: 0 })
    expect(essence(logOf(stopped.run).filter(({ type }) => type !== 'checkpoint'))).toEqual(
      essence(logOf(whole.run).filter(({ type }) => type !== 'checkpoint')),
    )
    const best = 'checkpoints/best.safetensors'
    expect(readFileSync(join(stopped.run, best)).equals(readFileSync(join(whole.run, best)))).toBe(true)

    // The rate fell to a tenth in the middle of the first epoch.
    const rates = new Set(logOf(whole.run).flatMap((event) => (event.type === 'step' ? [event.lr.toPrecision(3)] : [])))
    expect([...rates]).toEqual(['0.00100', '0.000100', '0.0000100'])

    // Gone on with at its end, it does nothing twice.
    const before = logOf(stopped.run)
    expect(await inProcessCli(['train', stopped.file, '--resume'])).toMatchObject({ code: 0 })
    expect(logOf(stopped.run)).toEqual(before)
    // Another epoch may be added; another batch would be another training.
    await writeFile(stopped.file, JSON.stringify({ ...tiny, ...config, epochs: 3 }))
    expect(await inProcessCli(['train', stopped.file, '--resume'])).toMatchObject({ code: 0 })
    expect(logOf(stopped.run).filter(({ type }) => type === 'epoch')).toHaveLength(3)
    await writeFile(stopped.file, JSON.stringify({ ...tiny, ...config, batch: 3 }))
    const other = await inProcessCli(['train', stopped.file, '--resume'])
    expect(other.code).toBe(2)
    expect(other.stderr).toMatch(/'batch' was 4 when the run began.*and is 3 now.*--output/)
  })

  test('is not begun anew by mistake', async () => {
    const { file, run } = await makeRun({})
    expect(await inProcessCli(['train', file])).toMatchObject({ code: 0 })
    const log = logOf(run)
    const { code, stderr } = await inProcessCli(['train', file])
    expect(code).toBe(2)
    expect(stderr).toMatch(/holds a run already\. Go on with it by 'diffsal train .*tiny\.json --resume', or give another folder with --output\.\n$/)
    expect(logOf(run)).toEqual(log)
    const other = temporaryPath('another-output')
    expect(await inProcessCli(['train', file, '--output', other])).toMatchObject({ code: 0 })
    expect(essence(logOf(other))).toEqual(essence(log))
    const nothing = await inProcessCli(['train', file, '--resume', '--output', temporaryPath('no-run')])
    expect(nothing.code).toBe(2)
    expect(nothing.stderr).toMatch(/holds no run that could be resumed.*leave out --resume/)
  })
})

test('a run that no longer gets better ends, and TensorBoard has its curves', async () => {
  const config = {
    validate: [{ dataset: 'AVAD', root: 'data', split: 'test', stride: 2 }],
    validation: { limit: 1 },
    earlyStop: { patience: 1, minDelta: 10, by: 'kl' },
    tensorboard: true,
    epochs: 4,
    pictures: 0,
  }
  const { file, run } = await makeRun(config)
  const { code, stdout, stderr } = await inProcessCli(['train', file])
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(stdout).toMatch(/^Trained 2 epochs of 4, 2 steps/)
  expect(stderr).toMatch(/^Stopped after epoch 2\/4: kl has not got better than [\d.]+ in 1 validation\.$/m)
  expect(readFileSync(join(run, 'report.html'), 'utf8')).toMatch(/Stopped after 2 of 4 epochs: kl has not got better/)
  const log = logOf(run)
  expect(log.at(-1)).toMatchObject({ type: 'stop', step: 2, epoch: 1, by: 'kl', validations: 1 })
  const scalars = readScalars(join(run, 'tensorboard'))
  const told = (tag: string) => scalars.flatMap(([step, name, value]) => (name === tag ? [[step, value]] : []))
  expect(told('train/loss')).toEqual(log.flatMap((event) => (event.type === 'step' ? [[event.step, Math.fround(event.loss)]] : [])))
  expect(told('validation/kl')).toEqual(log.flatMap((event) => (event.type === 'validation' ? [[event.step, Math.fround(event.scores.mean.kl)]] : [])))
  // Gone on with, it ends where it did; with more patience it goes on.
  expect(await inProcessCli(['train', file, '--resume'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Trained 2 epochs of 4, 2 steps/) })
  expect(logOf(run)).toEqual(log)
  await writeFile(file, JSON.stringify({ ...tiny, ...config, earlyStop: { ...config.earlyStop, patience: 9 } }))
  expect(await inProcessCli(['train', file, '--resume'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Trained 4 epochs, 4 steps/) })
  expect(logOf(run).filter(({ type }) => type === 'stop')).toEqual([])
})

test('without validation the last weights are kept, scored and evaluated', async () => {
  const { file, run } = await makeRun({ test: [{ dataset: 'AVAD', root: 'data' }], pictures: 0, trainer: { ema: 0.5 } })
  const { code, stdout } = await inProcessCli(['train', file])
  expect(code).toBe(0)
  expect(stdout).toContain("The weights are '")
  expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual(['last.safetensors', 'step-00000001.safetensors'])
  const { stdout: table } = await inProcessCli(['evaluate', file])
  expect(table).toMatch(/AVAD, test +CC +SIM +NSS +AUC-J +KL\n {2}AVAD\/V2 .*\nmean of 1 video, 3 frames /)
  expect(stdout).toContain(table.slice(table.indexOf('AVAD, test')).trimEnd())
})

test('the report has the curves, the tables, the pictures, and nothing from elsewhere', async () => {
  const validate = [{ dataset: 'AVAD', root: 'data', split: 'test' }]
  const { file, run } = await makeRun({ validate, test: validate, pictures: 3 })
  expect(await inProcessCli(['train', file])).toMatchObject({ code: 0 })
  const report = readFileSync(join(run, 'report.html'), 'utf8')
  for (const title of ['Loss', 'Gradient norm', 'Learning rate', 'CC', 'SIM', 'NSS', 'AUC-J', 'KL']) expect(report).toContain(`<figcaption><b>${title}</b>`)
  expect(report.match(/<svg /g)).toHaveLength(8)
  expect(report.match(/<th scope="row"><bdi>AVAD\/V2<\/bdi><\/th>/g)).toHaveLength(2)
  expect(report.match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(9)
  expect(report).toContain('&quot;epochs&quot;: 1')
  expect(report).not.toMatch(/https?:|src="(?!data:)|href=|@import|url\(/)

  const page = temporaryPath('evaluated.html')
  const { code, stdout } = await inProcessCli(['evaluate', file, '--report', page, '--limit', '2'])
  expect(code).toBe(0)
  expect(stdout).toContain(`The report is '${page}'.`)
  const evaluated = readFileSync(page, 'utf8')
  expect(evaluated).toContain('2 frames of 1 dataset were scored')
  expect(evaluated.match(/<img /g)).toHaveLength(9)
  expect(evaluated).not.toContain('<svg')
})

const entry = { dataset: 'AVAD', root: 'data' }
const scenes = { dataset: 'scenes', length: 3 }

describe('a configuration that is wrong names file and field, and leaves nothing', () => {
  test.each<[string, object, RegExp]>([
    ['an unknown name', { epoch: 3 }, /the configuration has an unknown option 'epoch'\. Did you mean 'epochs'\?/],
    ['epochs', { epochs: 0 }, /'epochs' must be an integer from 1 to 1000000, but 0 came/],
    ['no datasets', { train: [] }, /'train' must be a list of at least one of datasets.*but \[\] came/],
    ['a dataset', { train: [{ dataset: 'AVID', root: 'data' }] }, /'train\[0\]\.dataset' must be one of .*did you mean 'AVAD'/],
    ['no root', { test: [{ dataset: 'UCF' }] }, /'test\[0\]\.root' must be a non-empty string, but undefined came/],
    ["a dataset's option", { validate: [{ ...entry, fld: 1 }] }, /'validate\[0\]' has an unknown option 'fld'\. Did you mean 'fold'\?/],
    ["the model's size", { train: [{ ...entry, size: [32, 64] }] }, /'train\[0\]' has an unknown option 'size'/],
    ['a fold', { train: [{ ...entry, fold: 4 }] }, /'train\[0\]\.fold' must be an integer from 1 to 3, but 4 came/],
    ['no validation split', { validate: [entry] }, /'validate\[0\]\.split' must be one of 'train', 'test'.*but 'validation' came/],
    ['the model', { model: { ...trainingConfig, size: [30, 64] } }, /'model\.size' must be \[height, width\], both multiples of 32/],
    ["a name in the model's part", { model: { videoEncoder: { dept: 4 } } }, /'model\.videoEncoder' has an unknown option 'dept'\. Did you mean 'depth'\?/],
    [
      'what depends on another part',
      { model: { ...trainingConfig, normGroups: 3 } },
      /'model\.unetWidth' must be even and a multiple of the 3 groups of model\.normGroups/,
    ],
    ['the trainer', { trainer: { lr: -1 } }, /'trainer\.lr' must be a number from 0 to 1000, but -1 came/],
    ["the trainer's names", { trainer: { optimizer: 'adam' } }, /'trainer' has an unknown option 'optimizer'\. Did you mean 'optimiser'\?/],
    ['what is frozen', { trainer: { frozen: ['visual_nat.'] } }, /'trainer\.frozen\[0\]' must be the beginning of a parameter's name/],
    [
      'the schedule',
      { trainer: { schedule: { kind: 'multistep', milestones: [2, 1], unit: 'epochs' } } },
      /'trainer\.schedule\.milestones' must be an ascending list of epochs/,
    ],
    ["the schedule's unit", { trainer: { schedule: { unit: 'days' } } }, /'trainer\.schedule\.unit' must be one of 'steps', 'epochs'/],
    ['accumulation', { batch: 3, trainer: { accumulate: 2 } }, /'batch' must be a multiple of 'trainer\.accumulate' = 2, but 3 came/],
    ['sampling', { sampling: { eta: 2 } }, /'sampling\.eta' must be a number from 0 to 1/],
    ["the model's time steps", { sampling: { steps: 5000 } }, /'sampling\.steps' must be an integer from 1 to 1000, but 5000 came/],
    [
      'two datasets of the same videos',
      { validate: [scenes, { ...scenes, seed: 1 }, { ...scenes, length: 4 }] },
      /'validate\[2\]' must be of other videos than 'validate\[0\]', but both have 'scenes-0\/validation\/0'/,
    ],
    ['two of the same to train on', { train: [entry, entry] }, /'train\[1\]' must be of other videos than 'train\[0\]', but both have 'AVAD\/V1'/],
    ['too many scenes', { train: [{ ...scenes, length: 2 ** 30 }] }, /'train\[0\]\.length' must be an integer from 1 to 10000000, but 1073741824 came/],
    [
      'a warm-up of all steps',
      { train: [scenes], batch: 3, trainer: { schedule: { kind: 'cosine', unit: 'epochs', warmup: 0.6 } } },
      /'trainer\.schedule\.warmup' must be less than the whole schedule of 1 epoch, which is 1 step here, but 0\.6 epochs, which is 1 step, came/,
    ],
    ['two beginnings', { weights: 'a', pretrained: 'b' }, /'pretrained' must be left out where 'weights' are given/],
    ['the score', { by: 'auc' }, /'by' must be one of/],
  ])('%s', async (_, config, message) => {
    const { folder, file, run } = await makeRun(config)
    const { code, stdout, stderr } = await inProcessCli(['train', file])
    expect(stderr).toMatch(message)
    expect(stderr.startsWith(`diffsal: In '${file}', `)).toBe(true)
    expect(stderr.trimEnd()).not.toContain('\n')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect([existsSync(run), readdirSync(folder).sort()]).toEqual([false, ['data', 'tiny.json']])
  })

  test('no file, no JSON, no tree, no weights', async () => {
    const { file, run } = await makeRun({ train: [{ dataset: 'AVAD', root: 'elsewhere' }] })
    const said = async (): Promise<[number, string]> => {
      const { code, stderr } = await inProcessCli(['train', file])
      return [code, stderr]
    }
    expect(await said()).toEqual([3, expect.stringMatching(/The fold list '.*elsewhere.*' does not exist/)])
    await writeFile(file, JSON.stringify({ ...tiny, weights: 'none.safetensors' }))
    expect(await said()).toEqual([4, expect.stringMatching(/none\.safetensors': it does not exist/)])
    await writeFile(file, '{\n  "epochs": 1,\n  "batch" 2\n}')
    expect(await said()).toEqual([2, expect.stringMatching(/'.*tiny\.json' is not JSON: .* \(line 3, column 11\)/)])
    expect((await inProcessCli(['train', `${file}.none`])).code).toBe(3)
    expect(existsSync(run)).toBe(false)
  })
})

describe('evaluate', () => {
  test.each<[string, number, string[], RegExp]>([
    ['nothing to score', 2, [], /What is to be scored\? Give a configuration, or --weights FILE --dataset NAME --root DIR/],
    ['a dataset', 2, ['--weights', 'w', '--dataset', 'AVID', '--root', '.'], /'--dataset' must be one of .*did you mean 'AVAD'/],
    ['no root', 2, ['--weights', 'w', '--dataset', 'AVAD'], /'--root' must be a non-empty string/],
    [
      'a fold of a set without',
      2,
      ['--weights', 'w', '--dataset', 'DHF1K', '--root', '.', '--fold', '1'],
      /'--fold' does not go with '--dataset DHF1K', which takes --root, --split, --stride\. Leave it out/,
    ],
    [
      'a root of a set that is made',
      2,
      ['--weights', 'w', '--dataset', 'scenes', '--root', '.'],
      /'--root' does not go with '--dataset scenes', which takes --split\. Leave it out/,
    ],
    ['a folder without a configuration', 2, ['--weights', 'w', '--dataset', 'scenes', '-o', '.'], /'--output' goes with a configuration/],
    ['no weights', 4, ['--weights', 'none', '--dataset', 'AVAD', '--root', '.'], /Cannot read 'none'/],
  ])('%s', async (_, code, args, message) => {
    const result = await inProcessCli(['evaluate', ...args])
    expect(result.stderr).toMatch(message)
    expect(result).toMatchObject({ code, stdout: '' })
  })

  test('a run without test sets, or without weights', async () => {
    const { file } = await makeRun({})
    expect(await inProcessCli(['evaluate', file])).toMatchObject({ code: 2, stderr: expect.stringMatching(/'test' names no dataset/) })
    const untrained = await makeRun({ test: [entry] })
    expect(await inProcessCli(['evaluate', untrained.file])).toMatchObject({ code: 2, stderr: expect.stringMatching(/has no weights yet: train it/) })
    expect(await inProcessCli(['evaluate', untrained.file, '--fold', '1'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/'--fold' goes without a configuration, with --dataset: '.*' says what is scored/),
    })
    expect(await inProcessCli(['evaluate', untrained.file, '--dataset', 'UCF'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/'--dataset' goes without a configuration: '.*tiny\.json' says what is scored/),
    })
  })
})

describe('evaluate, of a run', () => {
  const made = { train: [scenes], test: [{ ...scenes, length: 2 }], pictures: 1 }

  test('in another folder', async () => {
    const { file } = await makeRun(made)
    const output = temporaryPath('elsewhere')
    expect(await inProcessCli(['train', file, '-o', output])).toMatchObject({ code: 0 })
    const nothing = await inProcessCli(['evaluate', file])
    expect(nothing).toMatchObject({ code: 2, stderr: expect.stringMatching(/has no weights yet: .*or the run's folder with --output/) })
    expect(await inProcessCli(['evaluate', file, '-o', output])).toMatchObject({ code: 0, stdout: expect.stringContaining('mean of 2 videos') })

    // The scores are on the terminal though the report can then not be written.
    const page = temporaryPath('page.html')
    const late = await inProcessCli(['evaluate', file, '-o', output, '--report', page], (text) => {
      if (text.includes('scoring')) mkdirSync(page, { recursive: true })
    })
    expect(late).toMatchObject({
      code: 6,
      stdout: expect.stringContaining('mean of 2 videos'),
      stderr: expect.stringMatching(/page\.html': it is a directory/),
    })
    // Where that can be told before, nothing is scored.
    const early = await inProcessCli(['evaluate', file, '-o', output, '--report', page])
    expect(early).toMatchObject({ code: 6, stdout: '', stderr: expect.stringMatching(/^diffsal: Cannot write '.*page\.html': it is a directory\.\n$/) })

    // Flags are named as they are typed, fields with their file.
    const weights = ['--weights', join(output, 'checkpoints/last.safetensors')]
    const said = async (...args: string[]): Promise<unknown> => {
      const { code, stderr } = await inProcessCli(['evaluate', ...args])
      return [code, stderr]
    }
    expect(await said(...weights, '--dataset', 'scenes', '--split', 'tset')).toEqual([
      2,
      expect.stringMatching(/^diffsal: '--split' must be one of .*did you mean 'test'/),
    ])
    expect(await said(...weights, '--dataset', 'scenes', '--steps', '5000')).toEqual([
      2,
      expect.stringMatching(/^diffsal: '--steps' must be an integer from 1 to 1000, but 5000 came/),
    ])
    await writeFile(file, JSON.stringify({ ...tiny, ...made, sampling: { steps: 5000 } }))
    expect(await said(file, ...weights)).toEqual([2, expect.stringMatching(/^diffsal: In '.*tiny\.json', 'sampling\.steps' must be an integer from 1 to 1000/)])
  })
})

test('a cosine that ends with the epochs is not gone on with for more', async () => {
  const made = { train: [scenes], epochs: 2, pictures: 0 }
  const cosine = { trainer: { schedule: { kind: 'cosine', unit: 'epochs' } } }
  const { file, run } = await makeRun({ ...made, ...cosine })
  expect(await inProcessCli(['train', file])).toMatchObject({ code: 0 })
  const log = logOf(run)
  expect(await inProcessCli(['train', file, '--resume'])).toMatchObject({ code: 0 })
  await writeFile(file, JSON.stringify({ ...tiny, ...made, ...cosine, epochs: 3 }))
  const more = await inProcessCli(['train', file, '--resume'])
  expect(more.stderr).toMatch(
    /'epochs' was 2 when the run began .* and is 3 now, but the cosine schedule, which was given no 'total', falls to 0 after the 2\. Put it back, or begin another run with --output/,
  )
  expect([more.code, logOf(run)]).toEqual([2, log])
})

test('a cosine that ends before the epochs is trained with, and warned of once', async () => {
  const { file } = await makeRun({ train: [scenes], epochs: 2, pictures: 0, trainer: { schedule: { kind: 'cosine', unit: 'epochs', total: 1 } } })
  const { code, stderr } = await inProcessCli(['train', file])
  expect({ code, warnings: stderr.match(/^diffsal: .*$/gm) }).toEqual({
    code: 0,
    warnings: [
      expect.stringMatching(
        /^diffsal: The learning rate is 0 after step \d, the schedule's 'total', but 2 epochs end after step \d: the rest learns nothing\./,
      ),
    ],
  })
})

test('a folder is trained in by one process at a time', async () => {
  const { file, run } = await makeRun({ train: [scenes], pictures: 0 })
  const lock = await lockRun(runFolder(run))
  for (const resume of [[], ['--resume']]) {
    const { code, stderr } = await inProcessCli(['train', file, ...resume])
    expect(stderr).toMatch(
      new RegExp(`^diffsal: In '.*run' the process ${process.pid} is training, since .*Z\\. Wait for its end, or give another folder with --output\\.\n$`),
    )
    expect([code, readdirSync(run)]).toEqual([2, ['run.lock']])
  }
  await lock.release()
  expect(existsSync(run)).toBe(false)
  expect(await inProcessCli(['train', file])).toMatchObject({ code: 0 })
  expect(readdirSync(run)).not.toContain('run.lock')
})

test('a name that is too long is not said whole', async () => {
  const { file } = await makeRun({ output: 'x'.repeat(100_000) })
  const { code, stderr } = await inProcessCli(['train', file])
  expect([code, stderr]).toEqual([6, expect.stringMatching(/^diffsal: Cannot write '.*x … x+': its name is too long\.\n$/)])
  expect(stderr.length).toBeLessThan(1000)
})

test('a loss that is not a number ends with exit code 7, and says how to go on', async () => {
  const { file, run } = await makeRun({ trainer: { lr: 1000, clip: null }, epochs: 50, every: 1, keep: 1 })
  const { code, stderr } = await inProcessCli(['train', file])
  expect(stderr).toMatch(/To try a lower learning rate, begin another run/)
  expect(stderr).toMatch(/^diffsal: The loss of step 2 is NaN\..*step-\d+\.safetensors/m)
  expect(code).toBe(7)
  expect(logOf(run).every((event) => event.type !== 'step' || Number.isFinite(event.loss))).toBe(true)
})
