import { SingleBar } from 'cli-progress'
import type { VideoProgress } from '../../predict-video.ts'
import { durationText } from '../../report/duration.ts'
import { tell } from './print.ts'

/** Shows how far a video is. */
export interface MapProgress {
  /** After a denoising step. */
  step(progress: VideoProgress): void
  /** After `maps` maps are finished. */
  maps(maps: number): void
  /** Prints a line that stays. */
  line(text: string): void
  /** Clears the bar. */
  stop(): void
}

/** What is done, and what is counted. */
export interface ProgressWords {
  readonly doing: string
  readonly unit: string
}

/** A bar on a terminal; elsewhere a line every few maps, so that a log shows that work goes on. */
export function showMapProgress(
  mapEstimate: number | undefined,
  stream: NodeJS.WriteStream = process.stderr,
  words: ProgressWords = { doing: 'Predicting', unit: 'maps' },
): MapProgress {
  const speed = speedometer(mapEstimate, words)
  return stream.isTTY && mapEstimate !== undefined ? bar(stream, mapEstimate, speed, words) : lines(stream, mapEstimate, speed, words)
}

type Speed = (maps: number) => string

/** `0.83 maps/s, 2 min 46 s left`, counted from the first step on. */
function speedometer(mapEstimate: number | undefined, { unit }: ProgressWords): Speed {
  const start = performance.now()
  return (maps) => {
    if (maps === 0) return 'starting'
    const rate = maps / Math.max((performance.now() - start) / 1000, 1e-3)
    const words = `${rate.toPrecision(2)} ${unit}/s`
    return mapEstimate === undefined ? words : `${words}, ${durationText(Math.max(0, mapEstimate - maps) / rate)} left`
  }
}

function bar(stream: NodeJS.WriteStream, mapEstimate: number, speed: Speed, { doing, unit }: ProgressWords): MapProgress {
  const format = `${doing} [{bar}] {value}/{total} ${unit}, {step}, {speed}`
  const fresh = (): SingleBar => new SingleBar({ stream, format, hideCursor: true, clearOnComplete: true, barsize: 24 })
  let current = fresh()
  let done = 0
  const payload = { step: 'reading', speed: speed(0) }
  current.start(mapEstimate, 0, payload)
  return {
    step(progress) {
      payload.step = `step ${progress.step}/${progress.steps}`
      current.update(Math.min(done, mapEstimate), payload)
    },
    maps(maps) {
      done = maps
      payload.speed = speed(maps)
      current.update(Math.min(done, mapEstimate), payload)
    },
    line(text) {
      current.stop()
      tell(text, stream)
      current = fresh()
      current.start(mapEstimate, Math.min(done, mapEstimate), payload)
    },
    stop: () => current.stop(),
  }
}

function lines(stream: NodeJS.WriteStream, mapEstimate: number | undefined, speed: Speed, { unit }: ProgressWords): MapProgress {
  const every = Math.max(1, Math.ceil((mapEstimate ?? 200) / 20))
  const of = mapEstimate === undefined ? '' : ` of about ${mapEstimate}`
  let told = 0
  return {
    step: () => undefined,
    maps(maps) {
      if (Math.floor(maps / every) === Math.floor(told / every)) return
      told = maps
      tell(`${maps}${of} ${unit}, ${speed(maps)}`, stream)
    },
    line: (text) => tell(text, stream),
    stop: () => undefined,
  }
}
