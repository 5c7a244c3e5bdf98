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

/** A bar on a terminal; elsewhere a line every few maps, so that a log shows that work goes on. */
export function showMapProgress(mapEstimate: number | undefined, stream: NodeJS.WriteStream = process.stderr): MapProgress {
  const speed = speedometer(mapEstimate)
  return stream.isTTY && mapEstimate !== undefined ? bar(stream, mapEstimate, speed) : lines(stream, mapEstimate, speed)
}

type Speed = (maps: number) => string

/** `0.83 maps/s, 2 min 46 s left`, counted from the first step on. */
function speedometer(mapEstimate: number | undefined): Speed {
  const start = performance.now()
  return (maps) => {
    if (maps === 0) return 'starting'
    const rate = maps / Math.max((performance.now() - start) / 1000, 1e-3)
    const words = `${rate.toPrecision(2)} maps/s`
    return mapEstimate === undefined ? words : `${words}, ${durationText(Math.max(0, mapEstimate - maps) / rate)} left`
  }
}

function bar(stream: NodeJS.WriteStream, mapEstimate: number, speed: Speed): MapProgress {
  const format = 'Predicting [{bar}] {value}/{total} maps, {step}, {speed}'
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

function lines(stream: NodeJS.WriteStream, mapEstimate: number | undefined, speed: Speed): MapProgress {
  const every = Math.max(1, Math.ceil((mapEstimate ?? 200) / 20))
  const of = mapEstimate === undefined ? '' : ` of about ${mapEstimate}`
  return {
    step: () => undefined,
    maps(maps) {
      if (maps % every === 0) tell(`${maps}${of} maps, ${speed(maps)}`, stream)
    },
    line: (text) => tell(text, stream),
    stop: () => undefined,
  }
}
