import { join } from 'node:path'
import { DiffSalError } from '../errors.ts'
import { reportFault } from '../files/faults.ts'
import type { Rational } from '../media/rational.ts'
import { readOpen, type DatasetOptions } from './dataset-options.ts'
import type { SaliencyDataset } from './dataset.ts'
import { PictureFrames, VideoFrames, type FrameSource } from './frame-source.ts'
import { LruCache } from './lru-cache.ts'
import { mapLimited } from './map-limited.ts'
import { fixationExtensions, NumberedFolder, pictureExtensions, Tree, videoExtensions } from './numbered-folder.ts'
import { RecordedDataset, type RecordedVideo } from './recorded-dataset.ts'
import { videoWindows } from './windows.ts'

/** Frames a second of all videos. */
const publishedRate: Rational = { num: 30, den: 1 }

/** The numbers of each split's videos, first and last. */
const splits = { train: [1, 600], validation: [601, 700], test: [701, 1000] } as const

/** Where a video's parts are in a layout. */
interface Layout {
  /** The folders of pictures, one a video, in `folder` or in a folder of that name within each video's. */
  readonly pictures: { readonly folder: string; readonly within?: string }
  /** Video files. */
  readonly videos?: string
  readonly annotation: { readonly folder: string; readonly maps?: string; readonly fixations?: string }
  /** A folder of fixations beside the one of maps. */
  readonly fixations?: string
}

const original: Layout = {
  pictures: { folder: 'annotation', within: 'images' },
  videos: 'video',
  annotation: { folder: 'annotation', maps: 'maps', fixations: 'fixation' },
}

const repacked: Layout = { pictures: { folder: 'frames' }, annotation: { folder: 'maps' }, fixations: 'fixation' }

/**
 * Opens DHF1K, as it is published (`video/001.AVI`, or pictures in `annotation/0001/images/0001.png`, with
 * `annotation/0001/maps/0001.png` and `annotation/0001/fixation/0001.png`) or repacked (`frames/1/1.png`, `maps/1/0001.png` and, if there
 * are any, `fixation/1/0001.png`). Videos 1–600 are the split 'train', 601–700 'validation', 701–1000 'test', whose maps are not public.
 * Training windows are clip after clip. A video is called `DHF1K/1`; frame 0 is picture 1. Clips of a video file are decoded from its
 * start, which takes several times as long as pictures do.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT; ERR_DIFFSAL_FILE where `root` has neither layout and, where faults are errors, for
 * any file that is missing.
 */
export async function openDhf1k(root: string, options?: DatasetOptions): Promise<SaliencyDataset> {
  const plan = readOpen(root, options, ['train', 'validation', 'test'])
  const tree = new Tree()
  const layout = (await tree.find(root, 'annotation')) ? original : repacked
  const annotations = await numberedFolders(tree, root, layout.annotation.folder)
  const pictures = await numberedFolders(tree, root, layout.pictures.folder)
  const fixations = layout.fixations ? await numberedFolders(tree, root, layout.fixations) : undefined
  const videoFolder = layout.videos && (await tree.find(root, layout.videos))
  const files = videoFolder ? await NumberedFolder.open(videoFolder, videoExtensions) : undefined
  if (annotations.size === 0) {
    const message = `'${root}' is no DHF1K tree: it has neither annotation/0001/maps (as published) nor frames/1 and maps/1 (repacked).`
    throw new DiffSalError('ERR_DIFFSAL_FILE', message, { argument: 'root', received: root })
  }
  const cache = new LruCache<string, Uint8Array>(plan.windows === 'test' ? 4 * plan.clipLength : 0)
  const blocks = plan.windows === 'test' ? new LruCache<string, Uint8Array>(3) : undefined
  const [first, last] = splits[plan.split]
  const numbers = [...annotations.keys()].filter((number) => number >= first && number <= last).sort((a, b) => a - b)
  const part = async (folder: string | undefined, within: string | undefined, extensions: readonly string[]): Promise<NumberedFolder | undefined> => {
    const path = folder && (within === undefined ? folder : await tree.find(folder, within))
    return path === undefined || path === '' ? undefined : NumberedFolder.open(path, extensions)
  }
  const videos = await mapLimited(numbers, 16, async (number): Promise<RecordedVideo | undefined> => {
    const annotation = annotations.get(number)!
    const maps = await part(annotation, layout.annotation.maps, pictureExtensions)
    const fixated = layout.fixations
      ? await part(fixations?.get(number), undefined, fixationExtensions)
      : await part(annotation, layout.annotation.fixations, fixationExtensions)
    const folder = await part(pictures.get(number), layout.pictures.within, pictureExtensions)
    const annotated = Math.max(maps?.last ?? -1, fixated?.last ?? -1)
    let frames: FrameSource | undefined
    if (folder && folder.count > 0) frames = new PictureFrames(folder, 1, cache)
    else if (files?.has(number)) frames = new VideoFrames(files.file(number), blocks)
    if (frames === undefined) {
      reportFault(
        plan,
        `The frames of video ${number} are neither in '${join(root, layout.pictures.folder)}' nor in '${join(root, 'video')}'`,
        'it is left out',
        root,
      )
      return undefined
    }
    // How long a video file is, its annotation says.
    const count = folder && folder.count > 0 ? folder.last : Math.max(0, annotated)
    return { name: `DHF1K/${number}`, count, frames, rate: publishedRate, origin: 1, maps, fixations: fixated }
  })
  const found = videos.filter((video) => video !== undefined)
  return new RecordedDataset('DHF1K', root, found, videoWindows, plan)
}

/** The folders in `root/name` that are called by a number, padded or not. */
async function numberedFolders(tree: Tree, root: string, name: string): Promise<Map<number, string>> {
  const folder = await tree.find(root, name)
  const folders = new Map<number, string>()
  if (folder === undefined) return folders
  for (const one of await tree.list(folder)) if (/^\d{1,7}$/.test(one)) folders.set(Number(one), join(folder, one))
  return folders
}
