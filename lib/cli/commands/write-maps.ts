import { filesMean } from '../../files/meaning.ts'
import { activity as activityMap } from '../../maps/activity.ts'
import type { MapLook } from '../../maps/paint.ts'
import type { MapWriter } from '../../media/map-writer.ts'
import type { MediaInfo } from '../../media/media-info.ts'
import { predictMedia, readVideoOptions, spanOf, type Predictor, type PredictVideoOptions, type VideoMap } from '../../predict-video.ts'
import { openOutputs, type PlannedOutput } from './outputs.ts'

/**
 * Predicts and writes map by map, of the activity where the options ask for it; on any failure nothing is left of the outputs.
 *
 * @returns how many frames there are in the part that is asked for, how many maps, and the first one's frame
 * @param onMap called with each map after it was taken, and how many there are now
 */
export async function writeMaps(
  model: Predictor,
  info: MediaInfo,
  outputs: readonly PlannedOutput[],
  look: MapLook,
  options: PredictVideoOptions,
  signal: AbortSignal,
  onMap: (map: VideoMap, count: number) => void,
): Promise<{ frames: number; maps: number; first: number }> {
  const maps = predictMedia(model, info, readVideoOptions(model, options))
  let writer: MapWriter | undefined
  let count = 0
  try {
    // The first map before any file: what is wrong with the input or the options shows by then.
    let next = await filesMean('input', () => maps.next())
    const first = next.done ? 0 : next.value.frame
    const span = spanOf(options)
    const open = (writer = await filesMean('output', () =>
      openOutputs(outputs, info, model.config.size, { look, signal, stallLimit: options.stallLimit, span }),
    ))
    while (!next.done) {
      const { frame, tensor, activity, times } = next.value
      const map = activity === undefined ? tensor : activityMap(activity, { size: model.config.size })
      await filesMean('output', () => open.write(frame, map.data, times))
      onMap(next.value, ++count)
      next = await filesMean('input', () => maps.next())
    }
    const { frames, times } = next.value!
    await filesMean('output', () => open.finish(frames, times))
    signal.throwIfAborted()
    await filesMean('output', () => open.commit())
    return { frames: frames - first, maps: count, first }
  } finally {
    await maps.return(undefined)
    await writer?.discard()
  }
}
