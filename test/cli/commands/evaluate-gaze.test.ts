import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { datasets, DiffSal, metrics } from '../../../lib/index.ts'
import { inProcessCli } from '../../support/in-process-cli.ts'
import { ffmpeg, picture, tone } from '../../support/media.ts'
import { temporaryPath } from '../../support/temporary.ts'
import { trainingConfig, trainingRun } from '../../support/training.ts'

let root: string
let weights: string

/** Two viewers, who look near (x, y) for the video's second. */
const gazeAt = (x: number, y: number) => `viewer,start_ms,duration_ms,x,y\nann,0,1000,${x},${y}\nbob,0,1000,${x + 0.1},${y}\n`

// Three videos of a second, of which two have sound: a tone, and a higher one.
beforeAll(async () => {
  root = temporaryPath('gaze')
  weights = temporaryPath('tiny.safetensors')
  mkdirSync(root)
  const film = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p']
  const high = ['-f', 'lavfi', '-i', 'sine=frequency=1500:duration=1']
  await ffmpeg(...picture('64x32', '10', 1), ...tone(1), ...film, join(root, 'a.mp4'))
  await ffmpeg(...picture('64x32', '10', 1), ...high, ...film, join(root, 'b.mp4'))
  await ffmpeg(...picture('64x32', '10', 1), ...film, join(root, 'mute.mp4'))
  writeFileSync(join(root, 'a.csv'), gazeAt(0.2, 0.5))
  writeFileSync(join(root, 'b.csv'), gazeAt(0.7, 0.3))
  writeFileSync(join(root, 'b.second.csv'), gazeAt(0.1, 0.9))
  writeFileSync(join(root, 'mute.csv'), gazeAt(0.5, 0.8))
  await using model = await DiffSal.create(trainingConfig, trainingRun)
  await model.save(weights)
})

interface Scored {
  readonly mirror?: boolean
  readonly datasets: {
    readonly title: string
    readonly scores: Awaited<ReturnType<DiffSal['evaluate']>>
    readonly intervals: ReturnType<typeof metrics.bootstrap>
  }[]
}

const always = ['--steps', '1', '--threads', '1', '--stride', '5']
const run = (...args: string[]) => inProcessCli(['evaluate', '--weights', weights, '--dataset', 'gaze', '--root', root, ...always, ...args])
async function scored(...args: string[]): Promise<Scored> {
  const { code, stdout, stderr } = await run('--json', ...args)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return JSON.parse(stdout) as Scored
}

let usual: Promise<Scored> | undefined
/** As {@link scored} without an option, which is done once. */
const asUsual = (): Promise<Scored> => (usual ??= scored())

describe('evaluate on eye tracking', () => {
  test('has sAUC, IG and intervals, the same as from the library', async () => {
    const {
      datasets: [one],
    } = await asUsual()
    await using model = await DiffSal.load(weights, { threads: 1 })
    const set = await datasets.openGaze(root, { split: 'test', size: [32, 64], clipLength: 8, stride: 5 })
    const scores = await model.evaluate(set, { steps: 1, ...(await datasets.gazeBaselines(set)) })
    expect(one).toEqual({ title: 'gaze, test', scores, intervals: metrics.bootstrap(scores) })
    expect(scores.frames).toBe(6)
    for (const name of ['shuffledAuc', 'informationGain'] as const) expect(scores.mean[name]).toSatisfy(Number.isFinite)
  })

  test('in a table and in a page', async () => {
    const page = temporaryPath('page.html')
    const { code, stdout } = await run('--report', page, '--limit', '3', '--mirror')
    expect(code).toBe(0)
    expect(stdout).toMatch(/gaze, test +CC +SIM +NSS +AUC-J +KL +sAUC +IG\n/)
    expect(stdout).toMatch(/\n95 % interval, from +(-?\d\.\d{3} *){7}\n +to +(-?\d+\.\d{3} *){7}\n/)
    expect(stdout).toContain('Each map is the mean with that of the mirrored clip.')
    const html = readFileSync(page, 'utf8')
    expect(html).toMatch(/sAUC\u00a0↑/)
    expect(html).toContain('95 % interval')
  })

  test('takes held-out videos, recordings and sigma', async () => {
    expect(Object.keys((await scored('--held-out', '2')).datasets[0]!.scores.videos)).toEqual(['gaze/b.mp4'])
    expect(Object.keys((await scored('--held-out', 'a,mu*')).datasets[0]!.scores.videos)).toEqual(['gaze/a.mp4', 'gaze/mute.mp4'])
    const second = (await scored('--recordings', 'second')).datasets[0]!.scores
    expect(Object.keys(second.videos)).toEqual(['gaze/b.mp4'])
    // There is no other video to shuffle with.
    expect(second.mean.shuffledAuc).toBeUndefined()
    const first = (await scored('--recordings', '', '--held-out', 'b')).datasets[0]!.scores
    expect(first.videos['gaze/b.mp4']!.nss).not.toBe(second.videos['gaze/b.mp4']!.nss)
    const [narrow, wide] = [await scored('--sigma', '0.01'), await scored('--sigma', '0.2')].map(({ datasets: [one] }) => one!.scores.mean)
    expect(narrow!.cc).not.toBe(wide!.cc)
    expect(narrow!.nss).toBe(wide!.nss)
  })

  test('with another sound, or none, scores alone those differently that have sound', async () => {
    const [right, silence, other] = [await asUsual(), await scored('--sound', 'silence'), await scored('--sound', 'other')].map(({ datasets: [one] }) => one!)
    expect(silence!.title).toBe('gaze, test, silence')
    expect(other!.title).toBe('gaze, test, another sound')
    for (const changed of [silence!, other!]) {
      expect(changed.scores.videos['gaze/mute.mp4']).toEqual(right!.scores.videos['gaze/mute.mp4'])
      expect(changed.scores.videos['gaze/a.mp4']!.cc).not.toBe(right!.scores.videos['gaze/a.mp4']!.cc)
    }
    const open = (sound: 'right' | 'other' | 'silence') => datasets.openGaze(root, { split: 'test', size: [32, 64], clipLength: 8, sound })
    const [own, exchanged, none] = [await open('right'), await open('other'), await open('silence')]
    // Frame 5 of a, of b and of mute: they are ten frames each.
    const heard = async (set: datasets.GazeSet, index: number) => (await set.get(index))!.audio!.samples
    expect(await heard(exchanged, 5)).toEqual(await heard(own, 15))
    expect(await heard(exchanged, 15)).toEqual(await heard(own, 5))
    expect((await heard(own, 5)).some((value) => value !== 0)).toBe(true)
    expect((await heard(none, 5)).every((value) => value === 0)).toBe(true)
  })

  test.each<[string, string[], RegExp]>([
    ['a sound that is none', ['--sound', 'loud'], /'--sound' must be one of .*'right'/],
    [
      'another sound where there is one',
      ['--sound', 'other', '--held-out', 'a'],
      /'--sound' must be other than 'other' where fewer than two videos have sound/,
    ],
    ['every video held out of two', ['--held-out', '1'], /'--held-out' must be an integer/],
    ['no video of the name', ['--held-out', 'none'], /'--held-out\[0\]' must be the name, without extension/],
    ['an empty name', ['--held-out', 'a,'], /'--held-out\[1\]' must be a non-empty string/],
    ['a sigma of nothing', ['--sigma', '0'], /'--sigma' must be /],
    ['a sigma that is no number', ['--sigma', 'wide'], /--sigma.*It must be a number/],
    [
      'a fold',
      ['--fold', '1'],
      /'--fold' does not go with '--dataset gaze', which takes --root, --split, --stride, --held-out, --recordings, --sigma, --sound/,
    ],
  ])('refuses %s', async (_, args, message) => {
    expect(await run(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) })
  })

  test('refuses what is of gaze for another set', async () => {
    const { code, stderr } = await inProcessCli(['evaluate', '--weights', weights, '--dataset', 'scenes', '--held-out', '3'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/'--held-out' does not go with '--dataset scenes'/) })
  })
})

test('mirrored, a map is the mean of the clip’s and the mirrored clip’s, turned back', async () => {
  await using model = await DiffSal.load(weights, { threads: 1 })
  const set = await datasets.openGaze(root, { split: 'test', size: [32, 64], clipLength: 8, stride: 5, heldOut: ['b'] })
  const turn = <T extends Uint8Array | Float32Array>(data: T, channels: number): T => {
    const turned = data.slice() as T
    data.forEach((value, at) => {
      const column = Math.floor(at / channels) % 64
      turned[at + (63 - 2 * column) * channels] = value
    })
    return turned
  }
  const predictions = []
  for (const index of [0, 1]) {
    const { frames, audio, video, frame } = (await set.get(index))!
    const one = await model.predict({ frames, audio }, { steps: 1, seed: 1 })
    const other = await model.predict({ frames: { ...frames, data: turn(frames.data, 3) }, audio }, { steps: 1, seed: 1 })
    const back = turn(other.data, 1)
    predictions.push({ video, frame, tensor: { ...one, data: one.data.map((value, at) => (value + back[at]!) / 2) } })
  }
  const mirrored = await model.evaluate(set, { steps: 1, mirror: true })
  const byHand = await metrics.score(predictions, set)
  for (const name of ['cc', 'sim', 'nss', 'kl'] as const) expect(mirrored.mean[name]).toBeCloseTo(byHand.mean[name], 4)
  expect(mirrored.mean.cc).not.toBeCloseTo((await model.evaluate(set, { steps: 1 })).mean.cc, 3)
})
