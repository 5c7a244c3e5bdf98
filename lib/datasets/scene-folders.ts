import { join } from 'node:path'
import { DiffSalError } from '../errors.ts'
import { reportFault } from '../files/faults.ts'
import { readOpen, type DatasetOptions } from './dataset-options.ts'
import type { SaliencyDataset } from './dataset.ts'
import { PictureFrames } from './frame-source.ts'
import { LruCache } from './lru-cache.ts'
import { mapLimited } from './map-limited.ts'
import { fixationExtensions, NumberedFolder, pictureExtensions, Tree } from './numbered-folder.ts'
import { RecordedDataset, type RecordedVideo } from './recorded-dataset.ts'
import { videoWindows } from './windows.ts'

/**
 * Opens a set whose videos are folders of `images`, `maps` and `fixation` in `training` and `testing`: Hollywood2 and UCF Sports.
 *
 * @param origin The number of a video's first frame, or 'first' where numbers go on from shot to shot.
 */
export async function openSceneFolders(title: string, root: string, options: DatasetOptions | undefined, origin: number | 'first'): Promise<SaliencyDataset> {
  const plan = readOpen(root, options, ['train', 'test'])
  const tree = new Tree()
  const name = plan.split === 'train' ? 'training' : 'testing'
  const folder = await tree.find(root, name)
  if (folder === undefined) {
    const remedy = `'${root}' must hold training and testing, of a folder a video with images, maps and fixation.`
    const message = `'${join(root, name)}' does not exist: ${remedy}`
    throw new DiffSalError('ERR_DIFFSAL_FILE', message, { argument: 'root', received: root })
  }
  const cache = new LruCache<string, Uint8Array>(plan.windows === 'test' ? 4 * plan.clipLength : 0)
  const scenes = (await tree.list(folder)).filter((one) => !one.startsWith('.'))
  const videos = await mapLimited(scenes, 16, async (scene): Promise<RecordedVideo | undefined> => {
    const part = async (within: string, extensions: readonly string[]): Promise<NumberedFolder | undefined> => {
      const path = await tree.find(folder, scene, within)
      return path === undefined ? undefined : NumberedFolder.open(path, extensions)
    }
    const images = await part('images', pictureExtensions)
    if (images === undefined || images.count === 0) {
      // A file beside the videos is none.
      if ((await tree.list(join(folder, scene))).length > 0) {
        reportFault(plan, `'${join(folder, scene, 'images')}' has no pictures`, 'the video is left out', join(folder, scene))
      }
      return undefined
    }
    const maps = await part('maps', pictureExtensions)
    // Of either, so that a missing first picture is seen to be missing.
    const start = origin === 'first' ? Math.min(images.first, maps && maps.count > 0 ? maps.first : images.first) : origin
    return {
      name: `${title}/${scene}`,
      count: images.last - start + 1,
      frames: new PictureFrames(images, start, cache),
      origin: start,
      maps,
      fixations: await part('fixation', fixationExtensions),
    }
  })
  const found = videos.filter((video) => video !== undefined)
  return new RecordedDataset(title, root, found, videoWindows, plan)
}
