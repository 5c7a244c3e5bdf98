import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { benchmarkCommand } from './commands/benchmark.ts'
import { convertCommand } from './commands/convert.ts'
import { doctorCommand } from './commands/doctor.ts'
import { evaluateCommand } from './commands/evaluate.ts'
import { exportCommand } from './commands/export.ts'
import { inspectCommand } from './commands/inspect.ts'
import { listenCommand } from './commands/listen.ts'
import { predictCommand, type ModelOpener } from './commands/predict.ts'
import { reframeCommand } from './commands/reframe.ts'
import { reportCommand } from './commands/report.ts'
import { roiCommand } from './commands/roi.ts'
import { scoreCommand } from './commands/score.ts'
import { setupCommand } from './commands/setup.ts'
import { shotsCommand } from './commands/shots.ts'
import { thumbnailCommand } from './commands/thumbnail.ts'
import { trainCommand } from './commands/train.ts'
import { viewCommand } from './commands/view.ts'
import { weightsCommand } from './commands/weights.ts'
import { exitCodeHelp, exitCodeOf } from './exit-codes.ts'
import { fileLimitSentence } from './terminal/file-limit.ts'
import { printFailure, wantsJson } from './json-failure.ts'
import { parserOutput, tell } from './terminal/print.ts'

/** One of each group, as `--help` shows them. */
const examples = `
Examples:
  diffsal predict clip.mp4 --overlay -o overlay.mp4       heat over the video, with its sound
  diffsal predict 'videos/**/*.mp4' -o out/               many videos, each once, going on after a kill
  diffsal view clip.mp4 -o page.html                      a page that plays the video with its maps
  diffsal report clip.mp4 --areas areas.json -o page.html how much attention regions and areas get
  diffsal reframe clip.mp4 --aspect 9:16 -o upright.mp4   an upright crop that follows what people look at
  diffsal thumbnail clip.mp4 -n 4 -o clip.jpg             the four frames to show
  diffsal roi clip.mp4 -o roi.txt                         quality offsets for x264 and x265
  diffsal shots clip.mp4                                  cuts, fades and dissolves
  diffsal train run.json                                  a training, from its configuration
  diffsal inspect weights.safetensors                     what is in a file of weights
  diffsal doctor                                          what is missing here`

/** All commands, not yet run. */
export function program(open?: ModelOpener): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  const root = new Command('diffsal')
    .description('Saliency maps of videos with sound, by the DiffSal network (CVPR 2024)')
    .version(version)
    .addHelpText('after', `${examples}\n${exitCodeHelp()}`)
  const groups = {
    'Maps of a video:': [predictCommand(open), viewCommand(open), listenCommand(open)],
    'What a map is good for:': [reportCommand(open), reframeCommand(open), thumbnailCommand(open), roiCommand(open), shotsCommand()],
    'Training and scoring:': [trainCommand(), evaluateCommand(), scoreCommand(), benchmarkCommand()],
    'Weights:': [inspectCommand(), convertCommand(), exportCommand(), weightsCommand()],
    'This installation:': [setupCommand(), doctorCommand()],
  }
  for (const [heading, commands] of Object.entries(groups)) for (const command of commands) root.addCommand(command.helpGroup(heading))
  // An exception instead of an exit, so that there is one place that decides on the exit code.
  for (const command of [root, ...root.commands]) command.exitOverride().showSuggestionAfterError().configureOutput(parserOutput)
  return root
}

/**
 * Runs one command line, `argv` as in `process.argv`, and gives its exit code. Errors go to standard error in a sentence, and with --json
 * to standard output too, as an object.
 */
export async function runCli(argv: readonly string[], open?: ModelOpener): Promise<number> {
  const json = wantsJson(argv)
  try {
    await program(open).parseAsync(argv)
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode !== 0 && json) printFailure(error, 2)
      return error.exitCode === 0 ? 0 : 2
    }
    if (fileLimitSentence(error) !== undefined) throw error
    const code = exitCodeOf(error)
    const message = error instanceof Error ? error.message : String(error)
    const defect = code === 1 ? ' This is a defect of diffsal; please report it, with what DIFFSAL_DEBUG=1 prints.' : ''
    tell(`diffsal: ${message}${defect}`)
    if (process.env.DIFFSAL_DEBUG && error instanceof Error) tell(`${error.stack}`)
    if (json) printFailure(error, code)
    return code
  }
}
