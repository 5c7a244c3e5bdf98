import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmEnvironment, type Packed } from './packed.ts'
import { temporaryPath } from './temporary.ts'

/** How a command ended that did not fail. */
export interface Output {
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command; fails with its output when it fails. */
export function run(cwd: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Output> {
  return new Promise((resolve, reject) => {
    const options = { cwd, encoding: 'utf8', maxBuffer: 1 << 26, env: { ...npmEnvironment(), ...env } } as const
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`\`${command} ${args.join(' ')}\` failed:\n${stdout}\n${stderr}`, { cause: error }))
      else resolve({ stdout, stderr })
    })
  })
}

/** A folder with nothing in it but the manifest of an application, and the package installed there, beside others from the registry. */
export async function install(
  name: string,
  { path }: Packed,
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
  others: readonly string[] = [],
): Promise<string> {
  const folder = temporaryPath(name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'application', private: true, type: 'module' }))
  const common = ['--prefer-offline', '--no-audit', '--no-fund', '--foreground-scripts']
  await run(folder, 'npm', ['install', path, ...others, ...common, ...flags], env)
  return folder
}
