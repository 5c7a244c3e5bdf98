import { Command } from 'commander'
import { addonPaths, buildCommand } from '../../addon/addon.ts'
import { cudaState } from '../../addon/cuda.ts'
import { native } from '../../addon/native.ts'
import { listDevices, type DeviceInfo } from '../../devices.ts'
import { DiffSalError } from '../../errors.ts'
import { checkSeries, locateLibtorch } from '../../libtorch/locate.ts'
import { checkTrusted } from '../../libtorch/trust.ts'
import { openSharp } from '../../files/open-sharp.ts'
import { findFfmpeg } from '../../media/ffmpeg.ts'
import { print, printJson } from '../terminal/print.ts'

/** One thing the package needs: what was found, or why it was not and what to do. */
export type Finding =
  | { readonly ok: true; readonly summary: string; readonly [detail: string]: unknown }
  | { readonly ok: false; readonly summary: string; readonly code?: string }

/** All findings of `diffsal doctor`, in the order they depend on each other. */
export interface Diagnosis {
  /** Whether nothing is missing. */
  readonly ok: boolean
  readonly node: Finding
  readonly addon: Finding
  readonly libtorch: Finding
  readonly devices: Finding
  readonly ffmpeg: Finding
  readonly sharp: Finding
}

const oldest = [20, 19] as const
const exitCode = 5

/** `diffsal doctor`: what is installed and the remedy for what is not. Exit code 0 when nothing is missing, else 5. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('print what was found (Node, native addon, libtorch, devices, ffmpeg, sharp) and the remedy for what is missing')
    .option('--json', 'print one JSON object')
    .action(async ({ json }: { json?: true }) => {
      const diagnosis = await diagnose()
      if (json) printJson(diagnosis, 2)
      else print(...toLines(diagnosis))
      if (!diagnosis.ok) process.exitCode = exitCode
    })
}

/** Looks at everything; nothing that is missing makes it throw. */
export async function diagnose(): Promise<Diagnosis> {
  const node = checkNode()
  const addon = attempt(findAddon)
  const libtorch = attempt(findLibtorch)
  const devices = addon.ok && libtorch.ok ? attempt(findDevices) : { ok: false as const, summary: 'Not looked for until the addon and libtorch are there.' }
  const ffmpeg = await findFfmpeg().then(
    ({ path, source, version }): Finding => ({ ok: true, summary: `${version} in '${path}' (from ${source})`, path, source, version }),
    failed,
  )
  const sharp = attempt(findSharp)
  const ok = [node, addon, libtorch, devices, ffmpeg, sharp].every((finding) => finding.ok)
  return { ok, node, addon, libtorch, devices, ffmpeg, sharp }
}

function checkNode(): Finding {
  const { node } = process.versions
  const [major = 0, minor = 0] = node.split('.').map(Number)
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return { ok: true, summary: node, version: node }
  return { ok: false, summary: `Node ${node} is too old: install ${oldest.join('.')} or newer.` }
}

function findSharp(): Finding {
  const { versions } = openSharp()
  return { ok: true, summary: `${versions.sharp}, libvips ${versions.vips}`, version: versions.sharp }
}

function findAddon(): Finding {
  const { root, loader, core } = addonPaths()
  if (loader !== undefined && core !== undefined) return { ok: true, summary: `'${core}'`, loader, core }
  const what = loader === undefined ? `There is none in '${root}'` : `diffsal_core.so is not beside '${loader}'`
  return { ok: false, summary: `${what}. Compile it with \`${buildCommand(root)}\`.`, code: 'ERR_DIFFSAL_ADDON_MISSING' }
}

function findLibtorch(): Finding {
  const { builtWith } = addonPaths()
  const found = locateLibtorch({ builtWith })
  checkSeries(found, builtWith)
  checkTrusted(found.dir)
  const { dir, version, variant, source } = found
  const origin = { DIFFSAL_LIBTORCH: 'DIFFSAL_LIBTORCH', cache: 'the cache', build: 'the compilation', system: "the system's packages" }[source]
  return { ok: true, summary: `${version} (${variant}) in '${dir}' (from ${origin})`, dir, version, variant, source }
}

/** Opens the addon: only that shows whether it works. */
function findDevices(): Finding {
  const { version } = native().libtorch()
  const state = cudaState()
  const list = listDevices(state)
  const words = list.map(({ id, name, memory, capability }) => {
    const facts = [name, ...(capability === undefined ? [] : [`compute capability ${capability}`]), memoryText(memory)]
    return `${id} (${facts.join(', ')})`
  })
  const { obstacle, driver } = state
  // Whoever has a driver means to use it; of others nothing is missing.
  const advice = obstacle && driver.found ? ` ${obstacle.remedy}.` : ''
  const noCuda = obstacle === undefined ? '' : `; no CUDA: ${obstacle.reason}.${advice}`
  const summary = `${words.join(', ')}; libtorch ${version} works${noCuda}`
  return { ok: true, summary, list, libtorch: version, driver, ...(obstacle && { noCuda: obstacle }) }
}

function memoryText({ total, free }: DeviceInfo['memory']): string {
  const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`
  return free === undefined ? gibibytes(total) : `${gibibytes(total)}, ${gibibytes(free)} free`
}

function attempt(look: () => Finding): Finding {
  try {
    return look()
  } catch (error) {
    return failed(error)
  }
}

function failed(error: unknown): Finding {
  if (error instanceof DiffSalError) return { ok: false, summary: error.message, code: error.code }
  throw error
}

function toLines({ ok, ...findings }: Diagnosis): string[] {
  const lines = Object.entries(findings).map(([name, finding]) => `${finding.ok ? 'ok     ' : 'missing'}  ${name.padEnd(8)}  ${finding.summary}`)
  return [...lines, '', ok ? 'Everything is there.' : 'Something is missing: see above.']
}
