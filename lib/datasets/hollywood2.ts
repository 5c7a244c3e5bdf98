import type { SaliencyDataset } from './dataset.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { openSceneFolders } from './scene-folders.ts'

/**
 * Opens Hollywood2: `training/actioncliptrain%05d_%d/{images,maps,fixation}/actioncliptrain%05d_%05d.png` and `testing/actioncliptest…`
 * below `root`. A folder is one shot; its frames' numbers go on from the shot before, so frame 0 is the lowest number in it. Training
 * windows are clip after clip. A video is called `Hollywood2/actioncliptrain00001_1`.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT; ERR_DIFFSAL_FILE where the split's folder is missing and, where faults are errors, for
 * any file that is missing.
 */
export function openHollywood2(root: string, options?: DatasetOptions): Promise<SaliencyDataset> {
  return openSceneFolders('Hollywood2', root, options, 'first')
}
