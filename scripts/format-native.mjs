// Says which C++ files are not as .clang-format wants them; with --write, makes them so. The program comes with a package, so that all have the same version.
import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const program = createRequire(import.meta.url)('clang-format-node').clangFormatPath
// npm may have been told to run no package's install script, which would do this.
chmodSync(program, 0o755)
const files = ['native', 'test']
  .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)))
  .filter((path) => /\.(cpp|h)$/.test(path))
const how = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror']
const { status, error } = spawnSync(program, [...how, ...files], { stdio: 'inherit' })
if (error) throw error
process.exitCode = status ?? 1
