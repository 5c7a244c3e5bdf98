import { join } from 'node:path'
import type { DatasetName } from '../../lib/datasets/open-dataset.ts'
import { audioVisualTree, colourOf, writeMap, writePicture } from '../datasets/trees.ts'

const pad = (number: number, digits: number): string => String(number).padStart(digits, '0')

/** A folder of images, maps and fixations; `name` gives the file of each frame. */
async function scene(folder: string, frames: number, name: (frame: number) => string): Promise<void> {
  for (let frame = 0; frame < frames; frame++) {
    await writePicture(join(folder, 'images', name(frame)), colourOf(frame))
    await writeMap(join(folder, 'maps', name(frame)), 255, { top: 6 })
    await writeMap(join(folder, 'fixation', name(frame)), 255, { top: 11, left: 15 })
  }
}

async function dhf1k(root: string, video: number, frames: number): Promise<void> {
  for (let number = 1; number <= frames; number++) {
    await writePicture(join(root, `frames/${video}/${number}.png`), colourOf(number - 1))
    await writeMap(join(root, `maps/${video}/${pad(number, 4)}.png`), 255, { top: 6 })
    await writeMap(join(root, `fixation/${video}/${pad(number, 4)}.png`), 255, { top: 11, left: 15 })
  }
}

/** The videos that {@link datasetTree} has, as the dataset calls them, in its splits train and test. */
export function treeVideos(name: DatasetName): { train: string; test: string } {
  if (name === 'DHF1K') return { train: 'DHF1K/1', test: 'DHF1K/701' }
  if (name === 'Hollywood2') return { train: 'Hollywood2/actioncliptrain00001_1', test: 'Hollywood2/actioncliptest00003_2' }
  if (name === 'UCF') return { train: 'UCF/Diving-Side-001', test: 'UCF/Kicking-Front-003' }
  return { train: `${name}/V1`, test: `${name}/V2` }
}

/** Makes a tree of a dataset, with one video of 20 frames to train on and one of 3 to test. */
export async function datasetTree(name: DatasetName, root: string): Promise<void> {
  if (name === 'DHF1K') {
    await dhf1k(root, 1, 20)
    await dhf1k(root, 701, 3)
  } else if (name === 'Hollywood2') {
    await scene(join(root, 'training/actioncliptrain00001_1'), 20, (frame) => `actioncliptrain00001_${pad(frame + 1, 5)}.png`)
    await scene(join(root, 'testing/actioncliptest00003_2'), 3, (frame) => `actioncliptest00003_${pad(frame + 120, 5)}.png`)
  } else if (name === 'UCF') {
    await scene(join(root, 'training/Diving-Side-001'), 20, (frame) => `Diving-Side_001_${pad(frame + 1, 3)}.png`)
    await scene(join(root, 'testing/Kicking-Front-003'), 3, (frame) => `Kicking-Front_003_${pad(frame + 1, 3)}.png`)
  } else {
    const list = (split: string): string => `${name}_list_${split}${name === 'DIEM' ? '' : '_1'}_fps.txt`
    await audioVisualTree(root, { set: name, videos: { V1: { frames: 20 } }, listName: list('train') })
    await audioVisualTree(root, { set: name, videos: { V2: { frames: 3 } }, listName: list('test') })
  }
}
