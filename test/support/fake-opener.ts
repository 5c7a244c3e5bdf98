import { readFileSync } from 'node:fs'
import type { ModelOpener } from '../../lib/cli/commands/open-model.ts'
import type { Predictor } from '../../lib/predict-video.ts'
import { FakeModel } from './fake-model.ts'

/**
 * Opens a {@link FakeModel} in place of any weights, but for those called missing, which are read as a file that is not there.
 *
 * @param delay milliseconds that every prediction takes
 */
export function fakeOpener(config: Partial<Predictor['config']>, delay: number): ModelOpener {
  return async (weights) => {
    if (process.env.PRINT_OPENING) process.stderr.write('a model is opened\n')
    if ('file' in weights && weights.file.includes('missing')) readFileSync(weights.file)
    const model = new FakeModel(config)
    model.remembers = false
    model.before = () => new Promise((resolve) => setTimeout(resolve, delay))
    return model
  }
}
