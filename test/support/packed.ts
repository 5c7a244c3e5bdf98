import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onceARun } from './once-a-run.ts'
import { temporaryPath } from './temporary.ts'

/** This checkout. */
export const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** A tarball as npm made it. */
export interface Packed {
  readonly path: string
  /** Its size in bytes. */
  readonly size: number
  /** What is in it: paths relative to the package. */
  readonly files: readonly string[]
}

const folders = ['lib', 'native', 'scripts', 'test', 'bench', 'examples']

/** A copy of this checkout as it is before a release, made once a run: `dist/` compiled from the sources as they are now, and a build folder. */
export function release(): string {
  return onceARun('release', (folder) => {
    const files = readdirSync(checkout, { withFileTypes: true }).filter((entry) => entry.isFile())
    for (const name of [...folders, ...files.map((file) => file.name)]) cpSync(join(checkout, name), join(folder, name), { recursive: true })
    symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'))
    execFileSync(process.execPath, [join(checkout, 'node_modules/typescript/bin/tsc'), '-p', join(folder, 'tsconfig.build.json')])
    mkdirSync(join(folder, 'build'))
    writeFileSync(join(folder, 'build/CMakeCache.txt'), '')
  })
}

/** The tarball of a release: with this checkout's addon, prebuilt, as npm has it. */
export function packWithPrebuilds(): Packed {
  const folder = temporaryPath('release')
  cpSync(release(), folder, { recursive: true })
  execFileSync(process.execPath, ['scripts/prebuild.mjs', '--from', join(checkout, 'build/Release'), '--out', folder], { cwd: checkout, stdio: 'pipe' })
  return pack(folder, 'with-prebuilds')
}

/** Has npm pack `folder`, into a file of this name. */
export function pack(folder: string, name: string): Packed {
  const destination = temporaryPath(name)
  mkdirSync(destination)
  const output = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', destination], {
    cwd: folder,
    encoding: 'utf8',
    env: npmEnvironment(),
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [{ filename, size, files }] = JSON.parse(output) as [{ filename: string; size: number; files: { path: string }[] }]
  return { path: join(destination, filename), size, files: files.map(({ path }) => path) }
}

/** The process's variables without those by which an npm that runs the tests would tell an npm within them where it is. */
export function npmEnvironment(): NodeJS.ProcessEnv {
  const own = /^(npm_(package|lifecycle)_.*|npm_command|npm_execpath|npm_node_execpath|npm_config_(local_prefix|global_prefix|prefix)|INIT_CWD)$/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
}
