import { boxes, type MapBox } from '../maps/boxes.ts'
import { confidence } from '../maps/confidence.ts'
import { focalPoint } from '../maps/points.ts'
import type { FrameMark } from '../media/clip-windows.ts'
import type { TimedMap } from '../predict-video.ts'
import { areaShare } from './area-share.ts'
import { AreaTally } from './area-tally.ts'
import type { ReportArea } from './areas.ts'
import type { AreaAttention, AttentionExtreme, AttentionMoment, AttentionRegion, AttentionReport, AttentionShot } from './attention.ts'
import { RegionTracks } from './region-tracks.ts'
import { Standings } from './standing.ts'

/** What a report counts. */
export interface CollectOptions {
  readonly areas: readonly ReportArea[]
  readonly look: number
  /** How many regions are kept. */
  readonly regions: number
}

/** A map as it is kept until the time is known for which it stands. */
interface Seen extends Omit<AttentionMoment, 'from' | 'to' | 'areas'> {
  readonly shot: number
  readonly shares: readonly number[]
  readonly boxes: readonly MapBox[]
}

/** What is known of a report but its name and its pictures. */
export type Collected = Pick<AttentionReport, 'size' | 'start' | 'end' | 'maps' | 'concentration' | 'shots' | 'moments'> & {
  readonly regions: readonly Omit<AttentionRegion, 'picture'>[]
  readonly areas: readonly Omit<AreaAttention, 'picture'>[]
}

/** Regions are what has this share of a map's greatest value. */
const regionLevel = 0.5

/** A box that is a greater share of the picture is none: there nothing stands out. */
const largestRegion = 0.5

/** The mean of values that stand for some seconds each. */
class Mean {
  #sum = 0
  #seconds = 0

  add(value: number, seconds: number): void {
    this.#sum += value * seconds
    this.#seconds += seconds
  }

  get value(): number | null {
    return this.#seconds > 0 ? this.#sum / this.#seconds : null
  }
}

/** Takes a video's maps in order, and keeps some numbers of each. */
export class AttentionCollector {
  readonly #size: readonly [number, number]
  readonly #options: CollectOptions
  readonly #tallies: readonly AreaTally[]
  readonly #tracks: RegionTracks
  readonly #standings = new Standings<Seen>()
  readonly #moments: AttentionMoment[] = []
  readonly #mean = new Mean()
  readonly #shots: { readonly shot: number; readonly start: number; readonly mean: Mean }[] = []
  #shareOf: readonly ReturnType<typeof areaShare>[] | undefined
  #last = 0

  /** @param size [height, width] of the frames */
  constructor(size: readonly [number, number], options: CollectOptions) {
    this.#size = size
    this.#options = options
    this.#tallies = options.areas.map((area) => new AreaTally(area, size, options.look))
    this.#tracks = new RegionTracks(options.regions)
  }

  /** Takes the next map. */
  see({ frame, time, times, marks, tensor }: TimedMap): void {
    this.pass(times, marks)
    const [, , height, width] = tensor.shape as [number, number, number, number]
    const [tall, wide] = this.#size
    this.#shareOf ??= this.#options.areas.map((box) =>
      areaShare({ x: box.x / wide, y: box.y / tall, width: box.width / wide, height: box.height / tall }, [height, width]),
    )
    const sum = tensor.data.reduce((all, value) => all + value, 0)
    const seen: Seen = {
      frame,
      time,
      shot: marks?.at(-1)?.shot ?? 0,
      concentration: confidence(tensor),
      focus: focalPoint(tensor, { size: this.#size }),
      shares: this.#shareOf.map((share) => share(tensor.data, sum)),
      boxes: this.#options.regions > 0 ? boxes(tensor, { level: regionLevel }).filter(({ width: across, height: down }) => across * down <= largestRegion) : [],
    }
    const before = this.#standings.next(seen, times, marks)
    if (before) this.#count(before.map, before.from, before.to)
  }

  /** Takes frames that follow, with or without a map. */
  pass(times: readonly number[], marks: readonly FrameMark[] | undefined): void {
    for (const [i, time] of times.entries()) {
      const shot = marks?.[i]?.shot ?? 0
      if (this.#shots.length === 0 || this.#shots.at(-1)!.shot !== shot) this.#shots.push({ shot, start: time, mean: new Mean() })
      this.#last = time
    }
  }

  /**
   * Gives what was counted; nothing comes any more.
   *
   * @param interval seconds for which the last frame is shown
   * @param most the second at which the report ends at most
   */
  end(interval: number, most: number): Collected {
    const end = Math.max(Math.min(this.#last + interval, most), this.#last)
    const last = this.#standings.end(end)
    if (last) this.#count(last.map, last.from, last.to)
    const moments = this.#moments
    const [height, width] = this.#size
    const start = moments[0]!.from
    const extreme = (better: (a: number, b: number) => boolean): AttentionExtreme => {
      const found = moments.reduce((a, b) => (better(b.concentration, a.concentration) ? b : a))
      return { value: found.concentration, time: found.time }
    }
    return {
      ...{ size: this.#size, start, end, maps: moments.length },
      concentration: { mean: this.#mean.value ?? moments[0]!.concentration, least: extreme((a, b) => a < b), greatest: extreme((a, b) => a > b) },
      shots: this.#shots.map(({ shot, start, mean }, i): AttentionShot => ({ shot, start, end: this.#shots[i + 1]?.start ?? end, concentration: mean.value })),
      regions: this.#tracks.end().map(({ start: from, end: to, seconds, dwell, x, y, best: { frame, time, box } }) => ({
        ...{ start: from, end: to, seconds, dwell, share: dwell / (end - start) },
        place: { x: (width * x) / dwell, y: (height * y) / dwell },
        best: { frame, time, share: box.mass, box: { x: box.x * width, y: box.y * height, width: box.width * width, height: box.height * height } },
      })),
      areas: this.#options.areas.map((area, i) => areaFigures(area, this.#tallies[i]!)),
      moments,
    }
  }

  #count({ shot, shares, boxes, ...seen }: Seen, from: number, to: number): void {
    const sight = { frame: seen.frame, time: seen.time, from, to, shot }
    this.#mean.add(seen.concentration, to - from)
    // A shot may have begun since, and ended.
    this.#shots.findLast((one) => one.shot === shot)!.mean.add(seen.concentration, to - from)
    this.#tracks.see(boxes, sight)
    this.#moments.push({ ...seen, from, to, areas: this.#tallies.map((tally, i) => tally.add(shares[i]!, sight)) })
  }
}

function areaFigures({ name, x, y, width, height, from, to }: ReportArea, tally: AreaTally): Omit<AreaAttention, 'picture'> {
  const { size, threshold, seconds, dwell, looked, looks, firstLook, appeared, best } = tally
  const [share, lookedShare] = seconds > 0 ? [dwell / seconds, looked / seconds] : [null, null]
  return {
    ...{ name, x, y, width, height, from: from ?? null, to: to ?? null, size, seconds, dwell, share, ratio: share === null ? null : share / size },
    ...{ threshold, looked, lookedShare, looks, firstLook, firstLookAfter: firstLook === null ? null : firstLook - appeared!, best },
  }
}
