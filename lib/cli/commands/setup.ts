import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Command } from 'commander'
import { addonPaths, buildCommand, loadAddon, whyCompile } from '../../addon/addon.ts'
import { DiffSalError } from '../../errors.ts'
import type { LocatedLibtorch } from '../../libtorch/locate.ts'
import { showProgress } from '../../libtorch/progress.ts'
import { release, variants } from '../../libtorch/releases.ts'
import { setupLibtorch, type SetupOptions } from '../../libtorch/setup.ts'
import { print } from '../terminal/print.ts'

/** `diffsal setup`: what `npm install` does, by hand, for where install scripts are off or another libtorch is wanted. */
export function setupCommand(): Command {
  return new Command('setup')
    .description(`find or fetch libtorch ${release.version}, and compile the native addon where none works`)
    .option(
      '--variant <name>',
      `the build of libtorch: ${variants.join(', ')}, or auto, for what the NVIDIA driver supports (default: what is there, else cpu)`,
    )
    .option('--from <path|url>', 'install this wheel, zip, folder or address instead of fetching the official one')
    .action(async ({ variant, from }: { variant?: SetupOptions['variant']; from?: string }) => {
      const display = showProgress()
      let libtorch: LocatedLibtorch
      try {
        libtorch = await setupLibtorch({ variant, from, onProgress: display.onProgress, log: display.log })
      } finally {
        display.stop()
      }
      print(`libtorch ${libtorch.version} (${libtorch.variant}) is in '${libtorch.dir}'.`)
      await compileIfNeeded(libtorch, from)
    })
}

async function compileIfNeeded(libtorch: LocatedLibtorch, from: string | undefined): Promise<void> {
  const { root, core } = addonPaths()
  const reason = whyCompile(libtorch)
  if (reason === undefined) {
    // What else keeps it from opening is told with its own remedy. Not after --from, which another --from may be replacing just now.
    if (from === undefined) loadAddon()
    print(`The native addon is '${core}'.`)
    return
  }
  print(`The native addon is compiled, since ${reason}.`)
  // In this folder: DIFFSAL_LIBTORCH and DIFFSAL_CACHE may be relative to it.
  const child = spawn(process.execPath, [join(root, 'scripts', 'install.mjs'), '--native'], { stdio: 'inherit' })
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code !== 0) {
    throw new DiffSalError(
      'ERR_DIFFSAL_ADDON_MISSING',
      `The native addon could not be compiled, for the reason above. When it is mended, run \`${buildCommand(root)}\`.`,
    )
  }
}
