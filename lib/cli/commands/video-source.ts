import type { Command } from 'commander'
import { invalidArgumentText } from '../../errors.ts'
import { filesMean } from '../../files/meaning.ts'
import { openMedia, type OpenedMedia } from '../../media/open-media.ts'
import { kindOfInput, titleOf } from '../../media/video-input.ts'
import { addVideoFlags } from './video-flags.ts'

/** The flags of all commands that read a video. */
export interface SourceFlags {
  readonly videoTrack?: number
  readonly audioTrack?: number
  readonly stallLimit: number
  readonly network: boolean
  readonly spoolLimit: number
}

/** What the argument of a video may be. */
export const sourceWords = 'any file that ffmpeg reads, an http: or https: address, or - for standard input'

/** What standard input is called, and what is made of it. */
const standardInput = { input: '-', name: 'standard input', title: 'stdin' } as const

/** Adds the options of {@link SourceFlags}; `sound`: the track too that is heard. */
export function addSourceFlags(command: Command, { sound = true } = {}): Command {
  addVideoFlags(command, ['videoTrack', ...(sound ? ['audioTrack' as const] : []), 'stallLimit', 'spoolLimit'])
  return command.option('--no-network', 'refuse addresses')
}

/** What to call what is made of an input, without an extension. */
export function nameOf(input: string): string {
  return input === standardInput.input ? standardInput.title : titleOf(input)
}

/** The files that an input is, which no output may replace. */
export function filesOf(input: string): string[] {
  const found = input === standardInput.input ? undefined : kindOfInput(input)
  return found?.kind === 'file' ? [found.path] : []
}

/** Opens a video of the command line. */
export function openSource(input: string, flags: SourceFlags, signal: AbortSignal): Promise<OpenedMedia> {
  const piped = input === standardInput.input
  const { videoTrack, audioTrack, stallLimit, network, spoolLimit } = flags
  const options = { videoTrack, audioTrack, stallLimit, network, spoolLimit, signal, name: piped ? standardInput.name : undefined }
  return filesMean('input', () => openMedia(piped ? pipedInput() : input, options))
}

function pipedInput(): NodeJS.ReadStream {
  if (process.stdin.isTTY) throw invalidArgumentText('-', 'used with a video piped to standard input', 'a terminal')
  return process.stdin
}
