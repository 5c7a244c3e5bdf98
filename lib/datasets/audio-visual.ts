import { join } from 'node:path'
import { checkChoice, checkString } from '../checks/options.ts'
import { integer, readOptions, type OptionTable } from '../checks/table.ts'
import { DiffSalError } from '../errors.ts'
import { reportFault } from '../files/faults.ts'
import { datasetPlan, datasetTable, type DatasetOptions, type DatasetPlan } from './dataset-options.ts'
import type { SaliencyDataset } from './dataset.ts'
import { readFoldList, type ListedVideo } from './fold-lists.ts'
import { PictureFrames } from './frame-source.ts'
import { LruCache } from './lru-cache.ts'
import { mapLimited } from './map-limited.ts'
import { NumberedFolder, pictureExtensions, Tree } from './numbered-folder.ts'
import { RecordedDataset, type RecordedVideo } from './recorded-dataset.ts'
import { audioVisualWindows } from './windows.ts'

/** The six audio-visual sets, as their folders are called. */
export const audioVisualSets = ['AVAD', 'Coutrot_db1', 'Coutrot_db2', 'DIEM', 'ETMD_av', 'SumMe'] as const

/** One of {@link audioVisualSets}. */
export type AudioVisualSet = (typeof audioVisualSets)[number]

/** How to open an audio-visual set. */
export interface AudioVisualOptions extends DatasetOptions {
  /** 'train' or 'test'. Default 'train'. */
  split?: 'train' | 'test' | undefined
  /** Which of the three ways of parting the videos: 1, 2 or 3. DIEM has only one, which every number means. Default 1. */
  fold?: number | undefined
}

/** Each of {@link AudioVisualOptions}. */
export const audioVisualTable = {
  ...datasetTable<'train' | 'test'>(['train', 'test']),
  fold: integer(1, 3, { usual: 1 }),
} satisfies OptionTable<AudioVisualOptions>

/**
 * Opens AVAD, Coutrot 1 or 2, DIEM, ETMD or SumMe:
 * `video_frames/<SET>/<video>/img_%05d.jpg`, `video_audio/<SET>/<video>/<video>.wav`, `annotations/<SET>/<video>/maps/eyeMap_%05d.jpg`,
 * `annotations/<SET>/<video>/fixMap_%05d.mat` and `fold_lists/<SET>_list_{train,test}_{1,2,3}_fps.txt` below `root`. Training
 * windows are 90 frames, every 74, the clip in their centre. A video is called `<SET>/<video>`, frame 0 is `img_00001.jpg`.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT; ERR_DIFFSAL_FILE where the fold list is missing or damaged, and, where faults are
 * errors, for any file that is missing.
 */
export async function openAudioVisual(root: string, set: AudioVisualSet, options?: AudioVisualOptions): Promise<SaliencyDataset> {
  checkString('root', root)
  const { fold, ...plan } = datasetPlan(readOptions<AudioVisualOptions, typeof audioVisualTable>('options', options, audioVisualTable))
  checkChoice('set', set, audioVisualSets)
  const tree = new Tree()
  const listName = `${set}_list_${plan.split}${set === 'DIEM' ? '' : `_${fold}`}_fps.txt`
  const listPath = await tree.find(root, 'fold_lists', listName)
  if (listPath === undefined) {
    const path = join(root, 'fold_lists', listName)
    const message = `The fold list '${path}' does not exist: '${root}' must hold fold_lists, video_frames, video_audio and annotations.`
    throw new DiffSalError('ERR_DIFFSAL_FILE', message, { argument: path })
  }
  const cache = new LruCache<string, Uint8Array>(plan.windows === 'test' ? 4 * plan.clipLength : 0)
  const videos = await mapLimited(await readFoldList(listPath), 16, (listed) => openVideo(root, set, tree, listed, listPath, plan, cache))
  const found = videos.filter((video) => video !== undefined)
  return new RecordedDataset(set, root, found, audioVisualWindows, plan)
}

async function openVideo(
  root: string,
  set: string,
  tree: Tree,
  { name, frames: listed, rate }: ListedVideo,
  listPath: string,
  plan: DatasetPlan,
  cache: LruCache<string, Uint8Array>,
): Promise<RecordedVideo | undefined> {
  const absent = (folder: string): undefined => {
    reportFault(plan, `'${join(root, folder, set, name)}' does not exist, though '${listPath}' names '${name}'`, 'the video is left out', listPath)
  }
  const pictures = await tree.find(root, 'video_frames', set, name)
  const frames = pictures && (await NumberedFolder.open(pictures, pictureExtensions))
  if (!frames) return absent('video_frames')
  const annotation = await tree.find(root, 'annotations', set, name)
  if (annotation === undefined) return absent('annotations')
  const there = Math.max(0, frames.last)
  if (there < listed) {
    const message = `'${frames.path}' has ${there === 0 ? 'no frames' : `frames up to ${there} only`}, but '${listPath}' says ${listed}`
    reportFault(plan, message, there > 0 ? 'the video ends there' : 'the video is left out', listPath)
    if (there === 0) return undefined
  }
  const maps = await tree.find(annotation, 'maps')
  const folder = await tree.find(root, 'video_audio', set, name)
  const sounds = folder ? await tree.list(folder) : []
  const wav = sounds.find((one) => one.toLowerCase() === `${name}.wav`.toLowerCase()) ?? sounds.find((one) => one.toLowerCase().endsWith('.wav'))
  if (wav === undefined) {
    reportFault(plan, `'${join(folder ?? join(root, 'video_audio', set, name), `${name}.wav`)}' does not exist`, `'${set}/${name}' is heard as silence`, name)
  }
  return {
    name: `${set}/${name}`,
    count: Math.min(listed, there),
    frames: new PictureFrames(frames, 1, cache),
    origin: 1,
    maps: maps === undefined ? undefined : await NumberedFolder.open(maps, pictureExtensions),
    fixations: await NumberedFolder.open(annotation, ['mat']),
    sound: { rate, path: wav === undefined ? undefined : join(folder!, wav) },
  }
}
