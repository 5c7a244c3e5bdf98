import type { Command } from 'commander'
import { defaultConfig } from '../../config.ts'
import { videoTable } from '../../predict-video.ts'
import { defaultSteps, samplingTable } from '../../predict.ts'
import { addFlags } from './flags.ts'

const table = { ...videoTable, ...samplingTable(defaultConfig.timesteps) }

/** The words of the tracks' flags, which tell their defaults. */
export const trackWords = {
  videoTrack: `${table.videoTrack.help} (default: the one that the file marks, else the first)`,
  audioTrack: `${table.audioTrack.help} (default: the one that the file marks, else the first)`,
}

const words = {
  ...trackWords,
  steps: `${table.steps.help} (default: what the weights are best with, else ${defaultSteps(defaultConfig)})`,
  seed: `${table.seed.help} (default: drawn)`,
}

/** What the flags of all commands that predict a video give. */
export interface PredictingFlags {
  readonly stride?: number
  readonly start?: number
  readonly end?: number
  readonly steps?: number
  readonly eta: number
  readonly seed?: number
  readonly batch: number
  readonly videoOnly?: true
  readonly mirror?: true
}

/** The flags of some options that predict a video. `others` has the words of those whose default is another thing here than the table's. */
export function addVideoFlags(
  command: Command,
  names: readonly (keyof typeof table & string)[],
  others: { readonly [name in keyof typeof table]?: string } = {},
): Command {
  return addFlags(command, table, names, { ...words, ...others })
}
