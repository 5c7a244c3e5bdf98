// Makes the package usable after npm has copied it: dist/ (in a checkout), libtorch, the native addon, which is compiled in a checkout
// and where no prebuilt one works. npm runs this as the `install` script. `--native` leaves dist/ as it is and always compiles.
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const build = join(root, 'build')
const isCheckout = existsSync(join(root, 'tsconfig.build.json'))
const nativeOnly = process.argv.includes('--native')
// libtorch's headers take about a gigabyte of memory a compiler.
const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? '2'

/** An end that its sentence explains; anything else is a defect and keeps its stack. */
class Refusal extends Error {}

try {
  if (isCheckout && (!nativeOnly || !existsSync(join(root, 'dist', 'libtorch', 'setup.js')))) await buildTypeScript()
  const { addonPaths, whyCompile } = await fromDist('addon/addon.js')
  const always = isCheckout || nativeOnly
  if (always || addonPaths().core === undefined) checkTools()
  const libtorch = await setUpLibtorch()
  const reason = always ? 'asked for' : whyCompile(libtorch)
  if (reason !== undefined) {
    if (!always) console.log(`The native addon is compiled here, since ${reason}.`)
    checkTools()
    await compile(libtorch)
  }
} catch (error) {
  const isOurs = error instanceof Refusal || error?.name === 'DiffSalError'
  console.error(`diffsal: ${isOurs ? error.message : error.stack}`)
  process.exitCode = 1
}

async function buildTypeScript() {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  if (!existsSync(compiler)) {
    throw new Refusal('TypeScript is not installed, which a checkout needs. Run `npm install` without `--omit=dev`.')
  }
  const output = []
  const code = await run(process.execPath, [compiler, '-p', 'tsconfig.build.json'], (line) => output.push(line))
  if (code !== 0) throw new Refusal(`lib/ does not compile:\n${output.join('\n')}`)
  const command = join(root, 'dist', 'cli', 'main.js')
  if (existsSync(command)) chmodSync(command, 0o755)
}

/** A part of the package itself, which a checkout has compiled by now. */
function fromDist(name) {
  return import(pathToFileURL(join(root, 'dist', name)).href)
}

/** Asked before anything is fetched where possible, so that a machine without a compiler hears of it at once. */
function checkTools() {
  const remedy = 'Install it first (Debian, Ubuntu: `apt-get install cmake g++ make`; Fedora: `dnf install cmake gcc-c++ make`) ' + 'and run the install again.'
  const found = spawnSync('cmake', ['--version'], { encoding: 'utf8' }).stdout?.match(/version (\d+)\.(\d+)/)
  const missing = []
  if (!found) missing.push('cmake')
  if (!['g++', 'clang++'].some(isOnPath)) missing.push('a C++ compiler (g++ or clang++)')
  if (!['ninja', 'make'].some(isOnPath)) missing.push('make or ninja')
  if (missing.length > 0) throw new Refusal(`The native addon is compiled here, but something for it is missing: ${missing.join('; ')}. ${remedy}`)
  const [, major, minor] = found.map(Number)
  if (major < 3 || (major === 3 && minor < 18)) {
    throw new Refusal(`The native addon needs cmake 3.18 or newer, but ${major}.${minor} is installed. Install a newer one and run the install again.`)
  }
}

function isOnPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, name)))
}

async function setUpLibtorch() {
  const { setupLibtorch } = await fromDist('libtorch/setup.js')
  const { showProgress } = await fromDist('libtorch/progress.js')
  const display = showProgress()
  let libtorch
  try {
    libtorch = await setupLibtorch({ onProgress: display.onProgress, log: display.log })
  } finally {
    display.stop()
  }
  console.log(`libtorch ${libtorch.version} (${libtorch.variant}) in '${libtorch.dir}'`)
  return libtorch
}

async function compile(libtorch) {
  if (!existsSync(join(libtorch.dir, 'include', 'ATen'))) {
    throw new Refusal(`The libtorch in '${libtorch.dir}' has no headers (include/ATen), which compiling needs. Set DIFFSAL_LIBTORCH to a complete one.`)
  }
  const cached = existsSync(join(build, 'CMakeCache.txt'))
  const settings = ['--config=Release', `--CDDIFFSAL_LIBTORCH=${libtorch.dir}`]
  let outcome = await cmake('configure', settings)
  if (outcome.code !== 0 && cached) {
    // The folder was moved, or another generator or compiler was used before: CMake wants a fresh start.
    rmSync(build, { recursive: true, force: true })
    outcome = await cmake('configure', settings)
  }
  if (outcome.code === 0) outcome = await cmake('build', [...settings, `--parallel=${jobs}`])
  if (outcome.code !== 0) {
    const log = join(build, 'install.log')
    mkdirSync(build, { recursive: true })
    writeFileSync(log, `${outcome.lines.join('\n')}\n`)
    throw new Refusal(`The native addon does not compile. The last lines (all of them are in '${log}'):\n${outcome.lines.slice(-30).join('\n')}`)
  }
  noteLibtorch(libtorch)
}

/** Runs one step of cmake-js and shows how far the compilation is. */
async function cmake(step, settings) {
  const lines = []
  const script = require.resolve('cmake-js/bin/cmake-js')
  const code = await run(process.execPath, [script, step, `--directory=${root}`, ...settings], (line) => {
    lines.push(line)
    if (/^\[ *\d+(%|\/\d+)\] (Building|Linking)/.test(line)) console.log(line)
  })
  return { code, lines }
}

/** Tells the loader which libtorch the addon fits, and where it was if not in the cache. */
function noteLibtorch({ version, dir, source }) {
  const path = join(build, 'Release', 'libtorch.json')
  const note = `${JSON.stringify(source === 'cache' ? { version } : { version, dir })}\n`
  if (!existsSync(path) || readFileSync(path, 'utf8') !== note) writeFileSync(path, note)
}

/** Runs a program in the package's folder, giving each line of its output to `onLine`, and returns its exit code. */
function run(file, args, onLine) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      let rest = ''
      stream.setEncoding('utf8').on('data', (text) => {
        const pieces = (rest + text).split('\n')
        rest = pieces.pop()
        for (const piece of pieces) onLine(piece)
      })
      stream.on('end', () => {
        if (rest !== '') onLine(rest)
      })
    }
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}
