import { Command, CommanderError } from 'commander'
import { packageVersion } from '../files/package-root.ts'
import type { ModelOpener } from './commands/predict.ts'
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

/** Makes a command. Only its own code is loaded: loading code is most of the time in which a command starts. */
type CommandMaker = (open: ModelOpener | undefined) => Promise<Command>

const commands: Readonly<Record<string, Readonly<Record<string, CommandMaker>>>> = {
  'Maps of a video:': {
    predict: async (open) => (await import('./commands/predict.ts')).predictCommand(open),
    view: async (open) => (await import('./commands/view.ts')).viewCommand(open),
    listen: async (open) => (await import('./commands/listen.ts')).listenCommand(open),
  },
  'What a map is good for:': {
    report: async (open) => (await import('./commands/report.ts')).reportCommand(open),
    reframe: async (open) => (await import('./commands/reframe.ts')).reframeCommand(open),
    thumbnail: async (open) => (await import('./commands/thumbnail.ts')).thumbnailCommand(open),
    roi: async (open) => (await import('./commands/roi.ts')).roiCommand(open),
    shots: async () => (await import('./commands/shots.ts')).shotsCommand(),
  },
  'Training and scoring:': {
    train: async () => (await import('./commands/train.ts')).trainCommand(),
    evaluate: async () => (await import('./commands/evaluate.ts')).evaluateCommand(),
    score: async () => (await import('./commands/score.ts')).scoreCommand(),
    benchmark: async () => (await import('./commands/benchmark.ts')).benchmarkCommand(),
  },
  'Weights:': {
    inspect: async () => (await import('./commands/inspect.ts')).inspectCommand(),
    convert: async () => (await import('./commands/convert.ts')).convertCommand(),
    export: async () => (await import('./commands/export.ts')).exportCommand(),
    weights: async () => (await import('./commands/weights.ts')).weightsCommand(),
  },
  'This installation:': {
    setup: async () => (await import('./commands/setup.ts')).setupCommand(),
    doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  },
}

/** The program with the command of this name, not yet run; with all where there is none of the name. */
export async function program(name?: string, open?: ModelOpener): Promise<Command> {
  const root = new Command('diffsal')
    .description('Saliency maps of videos with sound, by the DiffSal network (CVPR 2024)')
    .version(packageVersion())
    .addHelpText('after', `${examples}\n${exitCodeHelp()}`)
  const all = Object.entries(commands).flatMap(([heading, group]) => Object.entries(group).map(([command, make]) => ({ command, heading, make })))
  const named = all.filter(({ command }) => command === name)
  for (const { heading, make } of named.length > 0 ? named : all) root.addCommand((await make(open)).helpGroup(heading))
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
    await (await program(argv[2], open)).parseAsync(argv)
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
