// Makes prebuilds/linux-x64/ or prebuilds/linux-arm64/, which `npm pack` takes along: the addon, stripped, that node-gyp-build finds where nothing is
// compiled.
//   node scripts/prebuild.mjs [--arch x64|arm64] [--from FOLDER] [--out FOLDER]
// --arch is this machine's by default. On x64, arm64's is compiled by Debian's crossbuild-essential-arm64 with the release's libtorch for arm64, which
// pip fetches; scripts/check-arm64 runs what is compiled so. --from takes a finished build (build/Release) as it is instead of compiling; --out is where prebuilds/ comes, by default here.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs, promisify } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const prebuildify = promisify(createRequire(import.meta.url)('prebuildify'))

/** The newest interfaces that a prebuilt addon may need: Debian 12, Ubuntu 22.04 and Fedora 36 have them. Elsewhere it is compiled. */
const newest = { GLIBC: '2.34', GLIBCXX: '3.4.30', CXXABI: '1.3.13', GCC: '4.3' }

/** What may be visible: what Node asks for, and what one part of the addon asks of another. */
const mayBeVisible = /^(napi_register_module_v1|node_api_module_get_api_version_v1|diffsal_\w+)$/

/** An absolute path of a source file, as the checks of headers keep it. */
const sourcePath = /(?<![\w.:/-])\/(?:[\w.+@-]+\/)+[\w.+-]+\.(?:h|hpp|cpp|cc|cu|cuh)\b/

/** An end that its sentence explains; anything else is a defect and keeps its stack. */
class Refusal extends Error {}

try {
  await main()
} catch (error) {
  console.error(`prebuild: ${error instanceof Refusal ? error.message : error.stack}`)
  process.exitCode = 1
}

async function main() {
  const options = { arch: { type: 'string', default: process.arch }, from: { type: 'string' }, out: { type: 'string', default: root } }
  const { arch, from, out } = parseArgs({ options }).values
  const own = arch === process.arch
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(arch) || (arch === 'x64' && !own)) {
    throw new Refusal('Prebuilds are made for linux-x64, on linux-x64, and for linux-arm64, on either.')
  }
  const prefix = own ? '' : 'aarch64-linux-gnu-'
  const build = from !== undefined ? resolve(from) : own ? compile() : await crossCompile()
  const { version, dir } = await checkedNote(build)

  const staging = mkdtempSync(join(resolve(out), '.prebuilds-'))
  try {
    // prebuildify strips and moves what it finds, so it gets a copy.
    const copy = join(staging, 'build', 'Release')
    mkdirSync(copy, { recursive: true })
    // The part for NCCL fits the version of NCCL alone that it was compiled with.
    const wanted = (name) => /\.(node|so)$/.test(name) && name !== 'diffsal_nccl.so'
    for (const name of readdirSync(build).filter(wanted)) cpSync(join(build, name), join(copy, name))
    // It would run node-gyp where all is compiled already; `true` does nothing.
    const targets = [`node@${process.versions.node}`]
    await prebuildify({ cwd: staging, name: 'diffsal', arch, napi: true, tagLibc: true, strip: true, stripBin: `${prefix}strip`, nodeGyp: 'true', targets })
    const made = join(staging, 'prebuilds', `linux-${arch}`)
    writeFileSync(join(made, 'libtorch.json'), `${JSON.stringify({ version })}\n`)

    const names = readdirSync(made).sort()
    const problems = names.filter((name) => !name.endsWith('.json')).flatMap((name) => problemsOf(join(made, name), name, prefix))
    rmSync(join(staging, 'build'), { recursive: true })
    if (problems.length === 0 && own) problems.push(...openingProblems(staging, dir))
    if (problems.length > 0) throw new Refusal(`This build is not fit to be given away.\n${problems.join('\n')}`)
    const final = join(resolve(out), 'prebuilds', `linux-${arch}`)
    rmSync(final, { recursive: true, force: true })
    mkdirSync(dirname(final), { recursive: true })
    renameSync(made, final)
    console.log(`'${final}' holds ${names.join(', ')} for libtorch ${version}.`)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/** Compiles from nothing, so that no old object file is in what is given away. */
function compile() {
  rmSync(join(root, 'build'), { recursive: true, force: true })
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'install.mjs'), '--native'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Refusal('The addon does not compile, for the reason above.')
  return withGloo(join(root, 'build', 'Release'))
}

/** The same for arm64, in a folder of its own. */
async function crossCompile() {
  const folder = join(root, 'build', 'linux-arm64')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const fromDist = (name) => import(pathToFileURL(join(root, 'dist', 'libtorch', name)).href)
  const [{ release }, { pipDownload }, { extractArchive }] = await Promise.all(['releases.js', 'pip.js', 'extract.js'].map(fromDist))
  const [wheel] = await pipDownload({ ...release, builds: { cpu: { index: release.builds.cpu.index } } }, 'cpu', folder, { arch: 'arm64', log: console.log })
  await extractArchive(wheel, folder)
  const settings = {
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_TOOLCHAIN_FILE: join(root, 'scripts', 'linux-arm64.cmake'),
    CMAKE_JS_INC: join(root, 'node_modules', 'node-api-headers', 'include'),
    CMAKE_LIBRARY_OUTPUT_DIRECTORY: join(folder, 'Release'),
    DIFFSAL_LIBTORCH: join(folder, 'torch'),
  }
  const flags = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? '2'
  for (const args of [
    ['-S', root, '-B', folder, ...flags],
    ['--build', folder, '--parallel', jobs],
  ]) {
    if (spawnSync('cmake', args, { stdio: 'inherit' }).status !== 0) throw new Refusal('The addon does not compile for arm64, for the reason above.')
  }
  writeFileSync(join(folder, 'Release', 'libtorch.json'), JSON.stringify({ version: release.version }))
  return withGloo(join(folder, 'Release'))
}

function withGloo(build) {
  if (existsSync(join(build, 'diffsal_gloo.so'))) return build
  throw new Refusal('Prebuilds have the part for several processes, which was left out: `apt-get install libgloo-dev`, and again.')
}

/** The libtorch that the build is for, which has to be the release that users' machines fetch, and where it was if not in the cache. */
async function checkedNote(build) {
  const missing = ['diffsal.node', 'diffsal_core.so', 'libtorch.json'].filter((name) => !existsSync(join(build, name)))
  if (missing.length > 0) throw new Refusal(`'${build}' is not a finished build: ${missing.join(', ')} is not in it.`)
  const { release } = await import(pathToFileURL(join(root, 'dist', 'libtorch', 'releases.js')).href)
  const { version, dir } = JSON.parse(readFileSync(join(build, 'libtorch.json'), 'utf8'))
  if (version.split('+')[0] === release.version) return { version: release.version, dir }
  throw new Refusal(
    `'${build}' was compiled with libtorch ${version}, but prebuilds are for ${release.version}, which \`diffsal setup\` fetches. ` +
      'Unset DIFFSAL_LIBTORCH, or point it to that release, and compile again.',
  )
}

/** What keeps a library from being given away, a sentence each. */
function problemsOf(path, name, prefix) {
  const problems = []
  const visible = tool(`${prefix}nm`, '--dynamic', '--defined-only', '--format=just-symbols', path).split('\n').filter(Boolean)
  const foreign = visible.map((symbol) => symbol.split('@')[0]).filter((symbol) => !mayBeVisible.test(symbol))
  if (foreign.length > 0) problems.push(`${name} shows ${foreign.length} symbols that should be hidden, ${foreign[0]} among them.`)

  const headers = tool(`${prefix}objdump`, '--private-headers', path)
  for (const [, word, value] of headers.matchAll(/^\s+(RPATH|RUNPATH)\s+(.*)$/gm)) problems.push(`${name} has the ${word} ${value}.`)
  for (const [, needed] of headers.matchAll(/^\s+NEEDED\s+(\S*\/\S*)$/gm)) problems.push(`${name} needs a library by its path, ${needed}.`)
  for (const [, family, version] of headers.matchAll(/ (GLIBC|GLIBCXX|CXXABI|GCC)_([\d.]+|ABI_\w+)$/gm)) {
    // GLIBC_ABI_DT_RELR and its like came with 2.36 and later.
    if (version.startsWith('ABI_') || isNewer(version, newest[family])) {
      problems.push(`${name} needs ${family}_${version}, newer than ${family}_${newest[family]}: build it on an older system (Debian 12).`)
    }
  }
  const content = readFileSync(path, 'latin1')
  const kept = [root, homedir()].find((folder) => folder !== '/' && content.includes(`${folder}/`)) ?? sourcePath.exec(content)?.[0]
  if (kept !== undefined) problems.push(`${name} keeps a path of this machine, '${kept}'.`)
  return problems
}

/** Opens the addon as users' machines will: what it needs and nothing gives shows only there. */
function openingProblems(staging, dir) {
  const program = `(await import(${JSON.stringify(pathToFileURL(join(root, 'dist', 'addon', 'addon.js')).href)})).loadAddon()`
  const env = { ...process.env, DIFFSAL_PREBUILD: staging, DIFFSAL_LIBTORCH: process.env.DIFFSAL_LIBTORCH || (dir ?? '') }
  const { status, signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', env })
  if (status === 0) return []
  return [`It does not open: ${/^(?:\w*Error.*?: )(.*)$/m.exec(stderr)?.[1] ?? signal ?? stderr}`]
}

function tool(command, ...args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  } catch (error) {
    throw new Refusal(`\`${command}\`, of the binutils, is needed: ${error.message}`)
  }
}

function isNewer(version, limit) {
  const [a, b] = [version, limit].map((text) => text.split('.').map(Number))
  const differing = a.findIndex((part, i) => part !== (b[i] ?? 0))
  return differing === -1 ? false : a[differing] > (b[differing] ?? 0)
}
