import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

// `npm run fuzz -- --minutes N [--seed S] [--target NAME,…] [--case SEED]`: damaged files and arguments without end, in processes of their own, so that a
// crash, an end without memory and a hang are findings too. Prints each finding's seed, which `--target` and `--case` run again alone.

/** Seconds of work, and of waiting, in which a case ends: on a busy machine three of work take a minute. */
const patience = { work: 60, waiting: 600 }
/** Bytes that the process may hold after a case. */
const mostMemory = 3 * 2 ** 30

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
    target: { type: 'string' },
    case: { type: 'string' },
  },
})
const until = Date.now() + Number(values.minutes) * 60_000
const counts = new Map<string, number>()
let findings = 0
let seed = Number(values.seed)

interface Told {
  readonly target: string
  readonly seed: number
  readonly finding?: string
}

function report({ target, seed }: Told, finding: string): void {
  findings += 1
  console.log(`${target}: ${finding}\n  again: npm run fuzz -- --target ${target} --case ${seed}\n`)
}

/** Seconds that a process has computed, in all its threads. */
function workOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return 0
  }
}

function memoryOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

/** Runs cases in one process until it ends or the time is over. */
function runProcess(): Promise<void> {
  const env = {
    ...process.env,
    FUZZ_SEED: String(seed++),
    ...(values.target && { FUZZ_TARGET: values.target }),
    ...(values.case && { FUZZ_CASE: values.case }),
  }
  const child = fork(join(import.meta.dirname, 'child.js'), { env })
  let last: (Told & { readonly at: number; readonly work: number }) | undefined
  let ended: string | undefined
  const end = (why: string | undefined): void => {
    ended = why
    child.kill('SIGKILL')
  }
  const watch = setInterval(() => {
    if (Date.now() >= until && values.case === undefined) end('')
    else if (last && workOf(child.pid!) - last.work > patience.work) end(`it did not end in ${patience.work} s of work`)
    else if (last && Date.now() - last.at > 1000 * patience.waiting) end(`it did not end in ${patience.waiting} s`)
    else if (memoryOf(child.pid!) > mostMemory) end(`it holds ${Math.round(memoryOf(child.pid!) / 2 ** 20)} MiB`)
  }, 250)
  child.on('message', (told: Told) => {
    if (told.finding !== undefined) return report(told, told.finding)
    last = { ...told, at: Date.now(), work: workOf(child.pid!) }
    counts.set(told.target, (counts.get(told.target) ?? 0) + 1)
  })
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearInterval(watch)
      const why = ended ?? (code === 0 ? '' : `the process ended with ${signal ?? code}`)
      if (why !== '' && last) report(last, why)
      else if (why !== '') throw new Error(why)
      resolve()
    })
  })
}

do await runProcess()
while (Date.now() < until && values.case === undefined)

const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
console.log(`${total} cases from seed ${values.seed}, ${findings} findings: ${[...counts].map(([name, count]) => `${name} ${count}`).join(', ')}`)
process.exitCode = findings > 0 ? 1 : 0
