import { join } from 'node:path'
import { filesMean } from '../../files/meaning.ts'
import { readText } from '../../files/regular-file.ts'
import { probe } from '../../media/probe.ts'
import type { Predictor } from '../../predict-video.ts'
import { SoundFollower, type SoundFollowing } from '../../scenes/follows-sound.ts'
import { renderScene, type SceneTrack } from '../../scenes/render.ts'
import { showMapProgress } from '../terminal/map-progress.ts'
import { planOutputs } from './outputs.ts'
import { writeMaps } from './write-maps.ts'

/** A scene that was written, with the model's maps over it. */
export interface WrittenScene {
  readonly video: string
  readonly overlay: string
  /** Where everything is in it, as JSON. */
  readonly track: string
  readonly following: SoundFollowing
}

/** How scenes are rendered and predicted. */
export interface RenderingOptions {
  readonly scenes: number
  readonly seconds: number
  readonly seed: number
  readonly steps: number
  readonly signal: AbortSignal
}

/** Renders whole scenes as `scene-1.mp4`, … with sound, and the model's maps over them as `scene-1-overlay.mp4`, …. */
export async function renderScenes(folder: string, model: Predictor, { scenes, seconds, seed, steps, signal }: RenderingOptions): Promise<WrittenScene[]> {
  const written: WrittenScene[] = []
  for (let index = 0; index < scenes; index++) {
    const path = (ending: string): string => join(folder, `scene-${index + 1}${ending}`)
    const [video, overlay, track] = [path('.mp4'), path('-overlay.mp4'), path('.json')]
    await filesMean('output', () => renderScene(video, { index, seconds, seed, size: viewSize(model.config.size), track, signal }))
    const info = await filesMean('output', () => probe(video, { signal }))
    const follower = new SoundFollower(JSON.parse(await filesMean('output', () => readText(track))) as SceneTrack)
    const progress = showMapProgress(info.video?.frameEstimate)
    try {
      const options = { steps, seed: 1, batch: 8, signal, onProgress: progress.step }
      await writeMaps(model, info, planOutputs(video, { output: overlay, overlay: true }), options, signal, (map, count) => {
        follower.add(map)
        progress.maps(count)
      })
    } finally {
      progress.stop()
    }
    written.push({ video, overlay, track, following: follower.result })
  }
  return written
}

/** The model's form, so that shapes are as in training, at a size to look at. */
function viewSize([height, width]: readonly [number, number]): [number, number] {
  const times = Math.max(1, Math.round(256 / height))
  return [times * height, times * width]
}
