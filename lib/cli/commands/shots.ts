import { Command } from 'commander'
import { filesMean } from '../../files/meaning.ts'
import { findShots, findShotsTable, type FindShotsOptions, type Shot } from '../../find-shots.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { showMapProgress, type MapProgress } from '../terminal/map-progress.ts'
import { print, printJson } from '../terminal/print.ts'
import { showWarnings } from '../terminal/warnings.ts'
import { addFlags } from './flags.ts'
import { trackWords } from './video-flags.ts'

type ShotsFlags = Pick<FindShotsOptions, 'threshold' | 'fade' | 'flash' | 'dissolve' | 'videoTrack' | 'stallLimit'> & { readonly json?: true }

/** `diffsal shots`: where the shots of a video begin. */
export function shotsCommand(): Command {
  const command = new Command('shots').description('find the cuts, fades and dissolves of a video; no model is needed').argument('<input>', 'the video: any file that ffmpeg reads')
  addFlags(command, findShotsTable, ['threshold', 'fade', 'flash', 'dissolve', 'videoTrack', 'stallLimit'], {
    videoTrack: trackWords.videoTrack,
  })
  return command
    .option('--json', 'print one JSON object on standard output at the end')
    .addHelpText('after', exitCodeHelp())
    .action((input: string, flags: ShotsFlags) => interruptible((signal) => shots(input, flags, signal)))
}

async function shots(input: string, { json, ...options }: ShotsFlags, signal: AbortSignal): Promise<void> {
  const warnings = showWarnings()
  const found: Shot[] = []
  let progress: MapProgress | undefined
  const onProgress: FindShotsOptions['onProgress'] = ({ frames, frameEstimate }) => {
    progress ??= showMapProgress(frameEstimate, process.stderr, { doing: 'Looking', unit: 'frames' })
    warnings.above(progress)
    progress.maps(frames)
  }
  try {
    await filesMean('input', async () => {
      for await (const shot of findShots(input, { ...options, signal, onProgress })) found.push(shot)
    })
  } finally {
    progress?.stop()
    warnings.end()
  }
  if (json) printJson({ input, shots: found, warnings: warnings.all })
  else print(`${found.length} ${found.length === 1 ? 'shot' : 'shots'} in '${input}':`, ...found.map(line))
}

function line({ shot, begins, frame, frames, start, end }: Shot): string {
  const cells = [`${shot}`.padStart(5), begins.padEnd(8), `frames ${frame} to ${frame + frames - 1}`.padEnd(22), `${start.toFixed(3)} to ${end.toFixed(3)} s`]
  return cells.join('  ')
}
