import { Command } from 'commander'
import { filesMean } from '../../files/meaning.ts'
import { findShotsTable, readShotOptions, shotsIn, type FindShotsOptions, type Shot, type ShotProgress } from '../../find-shots.ts'
import { estimateMaps } from '../../predict-video.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { showMapProgress } from '../terminal/map-progress.ts'
import { print, printJson } from '../terminal/print.ts'
import { showWarnings } from '../terminal/warnings.ts'
import { addFlags } from './flags.ts'
import { addSourceFlags, openSource, sourceWords, type SourceFlags } from './video-source.ts'

type ShotsFlags = Pick<FindShotsOptions, 'threshold' | 'fade' | 'flash' | 'dissolve' | 'start' | 'end'> & SourceFlags & { readonly json?: true }

/** `diffsal shots`: where the shots of a video begin. */
export function shotsCommand(): Command {
  const command = new Command('shots')
    .description('find the cuts, fades and dissolves of a video; no model is needed')
    .argument('<input>', `the video: ${sourceWords}`)
  addFlags(command, findShotsTable, ['threshold', 'fade', 'flash', 'dissolve', 'start', 'end'])
  return addSourceFlags(command, { sound: false })
    .option('--json', 'print one JSON object on standard output at the end')
    .addHelpText('after', exitCodeHelp())
    .action((input: string, flags: ShotsFlags) => interruptible((signal) => shots(input, flags, signal)))
}

async function shots(input: string, { json, ...flags }: ShotsFlags, signal: AbortSignal): Promise<void> {
  using warnings = showWarnings()
  const found: Shot[] = []
  const options = readShotOptions({ ...flags, signal })
  await using opened = await openSource(input, flags, signal)
  const { info } = opened
  // From here on, so that it tells the speed from the first frame on.
  const progress = showMapProgress(estimateMaps(info, { stride: 1, end: flags.end }), process.stderr, { doing: 'Looking', unit: 'frames' })
  warnings.above(progress)
  const onProgress = ({ frames }: ShotProgress): void => progress.maps(frames)
  await filesMean('input', async () => {
    for await (const shot of shotsIn(info, { ...options, onProgress })) found.push(shot)
  }).finally(() => progress.stop())
  if (json) printJson({ input: info.path, shots: found, warnings: warnings.all })
  else print(`${found.length} ${found.length === 1 ? 'shot' : 'shots'} in '${info.path}':`, ...found.map(line))
}

function line({ shot, begins, frame, frames, start, end }: Shot): string {
  const cells = [`${shot}`.padStart(5), begins.padEnd(8), `frames ${frame} to ${frame + frames - 1}`.padEnd(22), `${start.toFixed(3)} to ${end.toFixed(3)} s`]
  return cells.join('  ')
}
