import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { TrainingEvent } from '../../../lib/index.ts'
import { audioVisualTree } from '../../datasets/trees.ts'
import { failingDisk } from '../../support/failing-disk.ts'
import { packageFolder } from '../../support/run-program.ts'
import { temporaryPath } from '../../support/temporary.ts'
import { trainingConfig } from '../../support/training.ts'

const folder = temporaryPath('processes')

beforeAll(async () => {
  await audioVisualTree(join(folder, 'data'), { videos: { V1: { frames: 20 }, V2: { frames: 20 } } })
})

/** A configuration of 10 steps an epoch. */
async function makeRun(name: string, epochs = 2): Promise<{ file: string; run: string }> {
  const file = join(folder, `${name}.json`)
  await mkdir(folder, { recursive: true })
  const train = [{ dataset: 'AVAD', root: 'data', windows: 'test' }]
  await writeFile(file, JSON.stringify({ model: trainingConfig, seed: 4, threads: 1, train, epochs, batch: 4, every: 3, output: name }))
  return { file, run: join(folder, name) }
}

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** `diffsal train` in a process of its own; `watch` is called every few milliseconds while it runs. */
function train(args: readonly string[], watch: (child: ChildProcess) => void = () => undefined, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, [join(packageFolder(), 'dist/cli/main.js'), 'train', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, npm_command: '', ...env },
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const timer = setInterval(() => watch(child), 5)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearInterval(timer)
      resolve({ code, signal, stderr })
    })
  })
}

function logOf(run: string): TrainingEvent[] {
  return readFileSync(join(run, 'log.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TrainingEvent)
}

/** Step, loss and gradient norm of each step. */
function losses(run: string): unknown[] {
  return logOf(run).flatMap((event) => (event.type === 'step' ? [[event.step, event.loss, event.gradNorm, event.lr]] : []))
}

/** Sends a signal when so many lines are in a run's log. */
function killAt(run: string, lines: number, signal: NodeJS.Signals): (child: ChildProcess) => void {
  let sent = false
  return (child) => {
    const log = join(run, 'log.jsonl')
    if (sent || !existsSync(log) || readFileSync(log, 'utf8').split('\n').length <= lines) return
    sent = true
    child.kill(signal)
  }
}

test('a killed run leaves a whole log, and goes on as if nothing had happened', async () => {
  const whole = await makeRun('whole')
  expect(await train([whole.file])).toMatchObject({ code: 0 })
  expect(losses(whole.run)).toHaveLength(20)

  const killed = await makeRun('killed')
  expect(await train([killed.file], killAt(killed.run, 7, 'SIGKILL'))).toMatchObject({ signal: 'SIGKILL' })
  const before = losses(killed.run)
  expect(before.length).toBeGreaterThan(3)
  expect(before).toEqual(losses(whole.run).slice(0, before.length))
  expect(await train([killed.file, '--resume'], killAt(killed.run, 18, 'SIGKILL'))).toMatchObject({ signal: 'SIGKILL' })
  expect(await train([killed.file, '--resume'])).toMatchObject({ code: 0 })
  expect(losses(killed.run)).toEqual(losses(whole.run))
  expect(logOf(killed.run).filter(({ type }) => type === 'epoch')).toHaveLength(2)
  const last = 'checkpoints/last.safetensors'
  expect(readFileSync(join(killed.run, last)).equals(readFileSync(join(whole.run, last)))).toBe(true)
})

test('killed before its first checkpoint, it begins again', async () => {
  const { file, run } = await makeRun('early', 1)
  expect(await train([file], killAt(run, 1, 'SIGKILL'))).toMatchObject({ signal: 'SIGKILL' })
  expect(await train([file, '--resume'])).toMatchObject({ code: 0 })
  expect(losses(run)).toEqual(losses(join(folder, 'whole')).slice(0, 10))
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s: a checkpoint, the command that goes on, exit code 130', async (signal) => {
  const { file, run } = await makeRun(`ended by ${signal}`)
  const { code, stderr } = await train([file], killAt(run, 4, signal))
  expect(code).toBe(130)
  const said = /Interrupted after step (\d+)\. Go on with: node (\S+) train '(.*)' --resume\n$/.exec(stderr)!
  expect(said[3]).toBe(file)
  const checkpoints = readdirSync(join(run, 'checkpoints'))
  expect(checkpoints).toContain(`step-${said[1]!.padStart(8, '0')}.safetensors`)
  expect(checkpoints.filter((name) => name.endsWith('.tmp'))).toEqual([])
  expect(await train([said[3]!, '--resume'])).toMatchObject({ code: 0 })
  expect(losses(run)).toEqual(losses(join(folder, 'whole')))
})

test('a full disk ends it with exit code 6, with what was written before still whole', async () => {
  const { file, run } = await makeRun('full')
  // Configuration and log fit, a checkpoint does not.
  const { code, stderr } = await train([file], undefined, { LD_PRELOAD: failingDisk(), DISK_FAULT: 'write 28 20000' })
  expect(code).toBe(6)
  expect(stderr).toMatch(/^diffsal: The disk is full: cannot write '.*step-00000003\.safetensors'\. Nothing was left behind/m)
  expect(losses(run)).toEqual(losses(join(folder, 'whole')).slice(0, 3))
  expect(readdirSync(join(run, 'checkpoints'))).toEqual([])
  expect(await train([file, '--resume'])).toMatchObject({ code: 0 })
  expect(losses(run)).toEqual(losses(join(folder, 'whole')))
})
