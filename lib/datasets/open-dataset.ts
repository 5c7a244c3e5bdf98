import { checkChoice } from '../checks/options.ts'
import { audioVisualSets, openAudioVisual, type AudioVisualOptions, type AudioVisualSet } from './audio-visual.ts'
import type { DatasetOptions } from './dataset-options.ts'
import type { SaliencyDataset } from './dataset.ts'
import { openDhf1k } from './dhf1k.ts'
import { openHollywood2 } from './hollywood2.ts'
import { openUcfSports } from './ucf-sports.ts'

/** The nine datasets of the paper. */
export const datasetNames = [...audioVisualSets, 'DHF1K', 'Hollywood2', 'UCF'] as const

/** One of {@link datasetNames}. */
export type DatasetName = (typeof datasetNames)[number]

/**
 * Opens a dataset of the paper by its name. `fold` is for the audio-visual sets only.
 *
 * @throws DiffSalError as {@link openAudioVisual}, {@link openDhf1k}, {@link openHollywood2} and {@link openUcfSports} do.
 */
export async function openDataset(name: DatasetName, root: string, options?: DatasetOptions | AudioVisualOptions): Promise<SaliencyDataset> {
  checkChoice('name', name, datasetNames)
  if (name === 'DHF1K') return openDhf1k(root, options)
  if (name === 'Hollywood2') return openHollywood2(root, options)
  if (name === 'UCF') return openUcfSports(root, options)
  return openAudioVisual(root, name satisfies AudioVisualSet, options as AudioVisualOptions | undefined)
}
