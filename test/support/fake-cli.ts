import { spawn, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Predictor } from '../../lib/predict-video.ts'

/** How a run of the command line ended. */
export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
}

export interface CliOptions {
  /** The current folder. */
  cwd?: string
  config?: Partial<Predictor['config']>
  /** Milliseconds that every prediction takes. */
  delay?: number
  env?: Record<string, string | undefined>
  /** Runs the program inside this shell script, as "$@". */
  shell?: string[]
  /** Called with the process and what it has written to standard error, whenever it writes there. */
  onStderr?: (child: ChildProcess, text: string) => void
}

const runner = `
import { FakeModel } from './test/support/fake-model.js'
import { runCli } from './lib/cli/program.js'
const { config, delay } = JSON.parse(process.env.FAKE_MODEL)
if (process.env.PRINT_MEMORY) process.on('exit', () => console.error('peak', process.resourceUsage().maxRSS, 'kB'))
process.exitCode = await runCli(process.argv, async (weights) => {
  if (process.env.PRINT_OPENING) console.error('a model is opened')
  if (weights.file?.includes('missing')) (await import('node:fs')).readFileSync(weights.file)
  const model = new FakeModel(config)
  model.remembers = false
  model.before = () => new Promise((resolve) => setTimeout(resolve, delay))
  return model
})
`

/**
 * The command line as a process of its own, with {@link FakeModel} for a network: compiled anew from the sources, types unchecked, so that
 * no build is needed. With `addon`, the native one is there, for what is measured of maps.
 */
export function fakeCli({ addon = false } = {}): (args: readonly string[], options?: CliOptions) => Promise<CliResult> {
  let root = ''
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'diffsal-cli-'))
    const { default: ts } = await import('typescript')
    const sources = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
    for (const source of [...sources.map((name) => join('lib', name)), 'test/support/fake-model.ts']) {
      const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), {
        compilerOptions: {
          target: ts.ScriptTarget.ES2022,
          module: ts.ModuleKind.ESNext,
          verbatimModuleSyntax: true,
          rewriteRelativeImportExtensions: true,
        },
      })
      const target = join(root, relative('.', source)).replace(/\.ts$/, '.js')
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, outputText)
    }
    // What runs in a browser.
    copyFileSync('lib/view/view-client.js', join(root, 'lib/view/view-client.js'))
    writeFileSync(join(root, 'package.json'), readFileSync('package.json'))
    symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'))
    if (addon) symlinkSync(join(process.cwd(), 'build'), join(root, 'build'))
    writeFileSync(join(root, 'run.js'), runner)
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  return (args, { cwd = root, config = {}, delay = 0, env = {}, shell, onStderr } = {}) =>
    new Promise((resolve, reject) => {
      const command = [process.execPath, join(root, 'run.js'), ...args]
      const [program, ...rest] = shell ? [...shell, ...command] : command
      const child = spawn(program!, rest, {
        cwd,
        env: { ...process.env, FAKE_MODEL: JSON.stringify({ config, delay }), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let [stdout, stderr] = ['', '']
      child.stdout!.on('data', (data: Buffer) => (stdout += data.toString()))
      child.stderr!.on('data', (data: Buffer) => {
        stderr += data.toString()
        onStderr?.(child, stderr)
      })
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, stdout, stderr }))
    })
}
