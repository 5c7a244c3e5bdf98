import type { Precision } from '../../checks/precision.ts'
import type { Shard } from '../../many/shard.ts'
import type { MapLook } from '../../maps/paint.ts'
import type { MediaInfo } from '../../media/media-info.ts'
import { rationalText, rationalValue } from '../../media/rational.ts'
import { sourceOf } from '../../media/source-info.ts'
import { mapRate, type PredictVideoOptions, type VideoProgress } from '../../predict-video.ts'
import { drawSeed } from '../../random/seed.ts'
import type { DeviceFlags } from './flags.ts'
import type { LookFlags } from './map-look.ts'
import type { OpenModel, Weights } from './open-model.ts'
import type { PlannedOutput } from './outputs.ts'
import type { PredictingFlags } from './video-flags.ts'
import type { SourceFlags } from './video-source.ts'
import type { WeightsFlags } from './weights-flags.ts'
import { writeMaps } from './write-maps.ts'

/** The flags of `predict`. */
export interface PredictFlags extends LookFlags, WeightsFlags, DeviceFlags, SourceFlags, PredictingFlags {
  readonly output?: string
  readonly maps?: string
  readonly overlay?: true
  readonly activity?: true
  readonly stride: number
  readonly shots?: true
  readonly shard?: Shard
  readonly jobs?: number
  readonly json?: true
}

/** What was done, for `--json`. */
export interface PredictReport {
  readonly input: string
  /** [height, width] of the input's frames; null for sound alone. */
  readonly size: readonly [number, number] | null
  /** On the average; exact for a usual constant rate: `30000/1001`. */
  readonly fps: string
  /** Seconds; null where the file does not tell. */
  readonly duration: number | null
  /** By how many degrees the stored frames are turned, clockwise. */
  readonly rotation: number
  /** In the part that was asked for, where one was. */
  readonly frames: number
  readonly maps: number
  /** The frames that have a predicted map, in the order of the .npy file: first, first + step, first + 2 · step, … */
  readonly mapFrames: { readonly first: number; readonly step: number; readonly count: number }
  /** [height, width] of a predicted map. */
  readonly mapSize: readonly [number, number]
  readonly weights: Weights
  /** What to know about weights that were not trained on eye tracking. */
  readonly note?: string
  readonly device: string
  readonly precision: Precision
  readonly seed: number
  readonly steps: number
  readonly eta: number
  readonly stride: number
  /** Seconds, where a part was asked for. */
  readonly start?: number
  readonly end?: number
  readonly batch: number
  /** Whether windows keep to the shots of the video. */
  readonly shots?: true
  readonly videoOnly: boolean
  /** Whether each map is the mean with that of the mirrored window. */
  readonly mirror?: true
  /** Whether the maps are of the interaction's activity. */
  readonly activity?: true
  readonly outputs: readonly PlannedOutput[]
  readonly look: MapLook
  readonly warnings: readonly string[]
  readonly seconds: number
}

/** What a video is predicted with. */
export interface PredictPlan {
  readonly flags: PredictFlags
  readonly weights: Weights
  readonly note: string | undefined
  readonly outputs: readonly PlannedOutput[]
  readonly look: MapLook
  /** What is warned of while this goes on. */
  readonly warnings: readonly string[]
  /** When it began, by `performance.now()`. */
  readonly start: number
  readonly signal: AbortSignal
  readonly onProgress?: (progress: VideoProgress) => void
  readonly onMaps?: (maps: number) => void
  /** Called when nothing more is predicted or written, however it ended. */
  readonly onEnd?: () => void
}

/** Predicts a video, writes what was planned, and tells what was done; on any failure nothing is left. */
export async function predictFile(model: OpenModel, info: MediaInfo, plan: PredictPlan): Promise<PredictReport> {
  const { flags, weights, note, outputs, look, signal, onProgress, onMaps, onEnd } = plan
  const { start: from, end: to, stallLimit } = flags
  const seed = flags.seed ?? drawSeed()
  let steps = 0
  const options: PredictVideoOptions = {
    stride: flags.stride,
    start: from,
    end: to,
    batch: flags.batch,
    shots: flags.shots ?? false,
    videoOnly: flags.videoOnly ?? false,
    mirror: flags.mirror ?? false,
    activity: flags.activity ?? false,
    eta: flags.eta,
    ...(flags.steps !== undefined && { steps: flags.steps }),
    seed,
    stallLimit,
    signal,
    onProgress: (now) => {
      steps = flags.mirror ? now.steps / 2 : now.steps
      onProgress?.(now)
    },
  }
  const written = await writeMaps(model, info, outputs, look, options, signal, (_, count) => onMaps?.(count)).finally(() => onEnd?.())
  const { size, duration, rotation } = sourceOf(info, rationalValue(mapRate(info)))
  return {
    input: info.path,
    size,
    fps: rationalText(mapRate(info)),
    duration: duration ?? null,
    rotation,
    frames: written.frames,
    maps: written.maps,
    mapFrames: { first: written.first, step: flags.stride, count: written.maps },
    mapSize: model.config.size,
    weights,
    ...(note !== undefined && { note }),
    device: model.device,
    precision: model.precision,
    seed,
    steps,
    eta: flags.eta,
    stride: flags.stride,
    ...(from !== undefined && { start: from }),
    ...(to !== undefined && { end: to }),
    batch: flags.batch,
    ...(flags.shots && { shots: true as const }),
    videoOnly: flags.videoOnly ?? false,
    ...(flags.mirror && { mirror: true as const }),
    ...(flags.activity && { activity: true }),
    outputs,
    look,
    warnings: plan.warnings,
    seconds: Math.round(performance.now() - plan.start) / 1000,
  }
}
