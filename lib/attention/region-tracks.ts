import type { MapBox } from '../maps/boxes.ts'

/** A box of a map, with the time that the map stands for. */
export interface RegionSight {
  readonly frame: number
  readonly time: number
  readonly from: number
  readonly to: number
  readonly shot: number
}

/** A region that was followed from map to map. Places are shares of width and height. */
export interface RegionTrack {
  /** When it was there first, and last, in seconds. */
  start: number
  end: number
  /** Seconds in which it was there. */
  seconds: number
  /** Seconds of attention: the sum of its share of each map times that map's seconds. */
  dwell: number
  /** Sums of its middles, weighted as the dwell. */
  x: number
  y: number
  /** Where it held most of a map. */
  best: { readonly frame: number; readonly time: number; readonly box: MapBox }
  /** Its last box, and the shot of that. */
  last: MapBox
  shot: number
}

/** Two boxes are of one region where their intersection is this share of the smaller one. */
const overlap = 0.5

/** A region that is not seen for so many seconds is over. */
export const regionGap = 1

/**
 * Follows the regions that hold most of a map from one map to the next. Of all pairs of a region and a box of the next map, in the same shot, whose
 * intersection is at least half of the smaller box, the one with the greatest intersection over union is linked first, and so on; each once. A box
 * that is left begins a region, and a region that is left waits for a second. A new shot ends all.
 *
 * Only the regions that held most attention are kept: memory does not grow with the video.
 */
export class RegionTracks {
  readonly #count: number
  #alive: RegionTrack[] = []
  #kept: RegionTrack[] = []

  /** @param count how many are kept */
  constructor(count: number) {
    this.#count = count
  }

  /** Takes the boxes of the next map. */
  see(boxes: readonly MapBox[], sight: RegionSight): void {
    const [alive, over] = [[] as RegionTrack[], [] as RegionTrack[]]
    for (const track of this.#alive) (track.shot === sight.shot && sight.from - track.end <= regionGap ? alive : over).push(track)
    this.#keep(over)
    const pairs = alive.flatMap((track) => boxes.map((box) => ({ track, box, ...likeness(track.last, box) }))).filter(({ ofSmaller }) => ofSmaller >= overlap)
    const [linked, used] = [new Set<RegionTrack>(), new Set<MapBox>()]
    for (const { track, box } of pairs.sort((a, b) => b.ofUnion - a.ofUnion)) {
      if (linked.has(track) || used.has(box)) continue
      linked.add(track)
      used.add(box)
      extend(track, box, sight)
    }
    const begun = boxes.filter((box) => !used.has(box)).map((box) => extend(beginning(box, sight), box, sight))
    this.#alive = [...alive, ...begun]
  }

  /** The regions that held most attention, the first the most; none comes any more. */
  end(): RegionTrack[] {
    this.#keep(this.#alive)
    this.#alive = []
    return this.#kept
  }

  #keep(tracks: readonly RegionTrack[]): void {
    if (tracks.length > 0) this.#kept = [...this.#kept, ...tracks].sort((a, b) => b.dwell - a.dwell).slice(0, this.#count)
  }
}

function beginning(box: MapBox, { frame, time, from, shot }: RegionSight): RegionTrack {
  return { start: from, end: from, seconds: 0, dwell: 0, x: 0, y: 0, best: { frame, time, box }, last: box, shot }
}

function extend(track: RegionTrack, box: MapBox, { frame, time, from, to }: RegionSight): RegionTrack {
  const held = box.mass * (to - from)
  track.end = to
  track.seconds += to - from
  track.dwell += held
  track.x += held * (box.x + box.width / 2)
  track.y += held * (box.y + box.height / 2)
  if (box.mass > track.best.box.mass) track.best = { frame, time, box }
  track.last = box
  return track
}

function likeness(a: MapBox, b: MapBox): { readonly ofSmaller: number; readonly ofUnion: number } {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  const common = Math.max(across, 0) * Math.max(down, 0)
  const [first, second] = [a.width * a.height, b.width * b.height]
  return { ofSmaller: common / Math.min(first, second), ofUnion: common / (first + second - common) }
}
