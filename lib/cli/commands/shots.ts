import { Command } from 'commander'
import { filesMean } from '../../files/meaning.ts'
import { findShots, findShotsTable, type FindShotsOptions, type Shot } from '../../find-shots.ts'
import { setLogger } from '../../log.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { showMapProgress, type MapProgress } from '../terminal/map-progress.ts'
import { print, printJson, tell } from '../terminal/print.ts'
import { addFlags } from './flags.ts'

type ShotsFlags = Pick<FindShotsOptions, 'threshold' | 'fade' | 'flash' | 'videoTrack' | 'stallLimit'> & { readonly json?: true }

/** `diffsal shots`: where the shots of a video begin. */
export function shotsCommand(): Command {
  const command = new Command('shots').description('find the cuts and fades of a video; no model is needed').argument('<input>', 'the video: any file that ffmpeg reads')
  addFlags(command, findShotsTable, ['threshold', 'fade', 'flash', 'videoTrack', 'stallLimit'], {
    videoTrack: `${findShotsTable.videoTrack.help} (default: the one that the file marks, else the first)`,
  })
  return command
    .option('--json', 'print one JSON object on standard output at the end')
    .addHelpText('after', exitCodeHelp())
    .action((input: string, flags: ShotsFlags) => interruptible((signal) => shots(input, flags, signal)))
}

async function shots(input: string, { json, ...options }: ShotsFlags, signal: AbortSignal): Promise<void> {
  const warnings: string[] = []
  const found: Shot[] = []
  let progress: MapProgress | undefined
  setLogger((level, message) => {
    if (level !== 'warn' && level !== 'error') return
    warnings.push(message)
    const words = `diffsal: ${message}`
    if (progress) progress.line(words)
    else tell(words)
  })
  const onProgress: FindShotsOptions['onProgress'] = ({ frames, frameEstimate }) => {
    progress ??= showMapProgress(frameEstimate, process.stderr, { doing: 'Looking', unit: 'frames' })
    progress.maps(frames)
  }
  try {
    await filesMean('input', async () => {
      for await (const shot of findShots(input, { ...options, signal, onProgress })) found.push(shot)
    })
  } finally {
    progress?.stop()
    setLogger(undefined)
  }
  if (json) printJson({ input, shots: found, warnings })
  else print(`${found.length} ${found.length === 1 ? 'shot' : 'shots'} in '${input}':`, ...found.map(line))
}

function line({ shot, begins, frame, frames, start, end }: Shot): string {
  const cells = [`${shot}`.padStart(5), begins.padEnd(5), `frames ${frame} to ${frame + frames - 1}`.padEnd(22), `${start.toFixed(3)} to ${end.toFixed(3)} s`]
  return cells.join('  ')
}
