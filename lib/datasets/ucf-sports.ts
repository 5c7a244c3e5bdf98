import type { SaliencyDataset } from './dataset.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { openSceneFolders } from './scene-folders.ts'

/**
 * Opens UCF Sports: `{training,testing}/<Action-Place-NNN>/{images,maps,fixation}/<Action-Place>_NNN_%03d.png` below `root`. Training
 * windows are clip after clip. A video is called `UCF/Diving-Side-001`; frame 0 is picture 1.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT; ERR_DIFFSAL_FILE where the split's folder is missing and, where faults are errors, for
 * any file that is missing.
 */
export function openUcfSports(root: string, options?: DatasetOptions): Promise<SaliencyDataset> {
  return openSceneFolders('UCF', root, options, 1)
}
