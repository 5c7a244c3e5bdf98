/** How a window may move, and what it must hold. Lengths are the window's own, along its way. */
export interface CameraLimits {
  /** The share of what it could hold at most that it shall hold, 0 to 1. */
  readonly keep: number
  /** Lengths a second, at most. */
  readonly speed: number
  /** Lengths a second and second, at most. */
  readonly acceleration: number
}

/** What there was to see at a moment: the sums of a map across the way of the window, from the frame's beginning to its end. */
export interface Sight {
  readonly time: number
  readonly sums: Float32Array
}

/** Where the window begins at a time, in pixels. */
export type CameraPath = (time: number) => number

// What moving costs beside a mass that is lost: the whole of it, for a second, costs 1.
/** A second at the greatest speed. */
const costOfSpeed = 0.1
/** A second at the greatest acceleration. */
const costOfAcceleration = 0.05
/** A second in which what is inside lies a window's length off its middle. */
const costOfOffCentre = 0.1
/** A second a window's length from the frame's middle, where nothing else speaks for a place. */
const costOfAside = 1e-3

/** Seconds between two knots of a path, at least. */
const leastInterval = 0.1
/** Knots that are planned at once, of which half are kept: a minute is far enough to see, and memory is bounded. */
const planned = 600
/** Places and speeds that are told apart, at most. */
const [mostPlaces, mostSpeeds] = [2000, 40]

/**
 * The path of a window over one shot. It is planned at once: of all paths over a grid of places, whose speed and acceleration are within
 * the limits, dynamic programming finds the one with the least cost of what is lost and of moving. The knots that it gives control a cubic
 * B-spline: it is smooth, and stays in the knots' bounds of place, speed and acceleration, since it and its derivatives are their means.
 *
 * @param sights in the order of time; none: the window is in the middle
 * @param span the times of the first and the last frame
 * @param frame how many pixels the frame is long
 * @param length how many the window is long
 */
export function cameraPath(sights: readonly Sight[], [start, end]: readonly [number, number], frame: number, length: number, limits: CameraLimits): CameraPath {
  const free = frame - length
  if (free <= 0 || sights.length === 0) return () => Math.max(0, Math.floor(free / 4) * 2)
  const grid = gridOf(free, length, end - start, limits)
  const costs = (knot: number): Float64Array => costsOf(sightAt(sights, start + knot * grid.interval, grid.interval), grid, frame, length, limits.keep)
  return splineOf(
    plan(costs, grid).map((place) => grid.offset + place * grid.step),
    start,
    grid.interval,
  )
}

/** Where a window may be, and how it may move between two knots: in whole steps. */
interface Grid {
  /** Pixels. */
  readonly step: number
  /** Pixels before the first place. */
  readonly offset: number
  readonly places: number
  readonly knots: number
  /** Seconds between two. */
  readonly interval: number
  /** Steps between two knots, at most. */
  readonly speed: number
  /** By how many steps these may change. */
  readonly turn: number
  /** Pixels of a window's length. */
  readonly length: number
}

function gridOf(free: number, length: number, seconds: number, { speed, acceleration }: CameraLimits): Grid {
  const [fastest, hardest] = [speed * length, acceleration * length]
  const fine = Math.max(Math.min(length / 100, hardest * leastInterval ** 2), (fastest * leastInterval) / mostSpeeds, free / mostPlaces)
  // Whole pixels, even ones where that is fine enough: where the window rests, its picture is as it was.
  const step = fine >= 2 ? 2 * Math.floor(fine / 2) : Math.min(fine, 1)
  const least = Math.max(leastInterval, Math.sqrt(step / hardest), step / fastest) * (1 + 1e-9)
  const intervals = Math.max(0, Math.floor(seconds / least))
  const interval = intervals === 0 ? least : seconds / intervals
  const places = Math.floor(free / step + 1e-9) + 1
  return {
    step,
    offset: 2 * Math.floor((free - (places - 1) * step) / 4),
    places,
    knots: intervals + 1,
    interval,
    speed: Math.min(Math.floor((fastest * interval) / step), mostSpeeds),
    turn: Math.min(Math.floor((hardest * interval ** 2) / step), 2 * mostSpeeds),
    length,
  }
}

/** The mean of the sights about a time, the nearer the heavier; between two that are far apart, their mixture. */
function sightAt(sights: readonly Sight[], time: number, reach: number): Float64Array {
  const sums = new Float64Array(sights[0]!.sums.length)
  const add = (sight: Sight, weight: number): void => {
    for (let i = 0; i < sums.length; i++) sums[i]! += weight * sight.sums[i]!
  }
  const after = firstAfter(sights, time)
  let near = false
  for (let i = after - 1; i >= 0 && sights[i]!.time > time - reach; i--, near = true) add(sights[i]!, 1 - (time - sights[i]!.time) / reach)
  for (let i = after; i < sights.length && sights[i]!.time < time + reach; i++, near = true) add(sights[i]!, 1 - (sights[i]!.time - time) / reach)
  if (near) return sums
  const [left, right] = [sights[Math.max(after - 1, 0)]!, sights[Math.min(after, sights.length - 1)]!]
  const share = right.time > left.time ? (time - left.time) / (right.time - left.time) : 0
  add(left, 1 - share)
  add(right, share)
  return sums
}

function firstAfter(sights: readonly Sight[], time: number): number {
  let [low, high] = [0, sights.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sights[middle]!.time > time) high = middle
    else low = middle + 1
  }
  return low
}

/** What each place costs for the time of a knot. */
function costsOf(sums: Float64Array, { step, offset, places, interval }: Grid, frame: number, length: number, keep: number): Float64Array {
  const [masses, moments] = [new Float64Array(sums.length + 1), new Float64Array(sums.length + 1)]
  for (let i = 0; i < sums.length; i++) {
    masses[i + 1] = masses[i]! + sums[i]!
    moments[i + 1] = moments[i]! + (sums[i]! * (i + 0.5) * frame) / sums.length
  }
  const between = (of: Float64Array, from: number, to: number): number => upTo(of, to / frame) - upTo(of, from / frame)
  const inside = Float64Array.from({ length: places }, (_, p) => between(masses, offset + p * step, offset + p * step + length))
  const best = inside.reduce((a, b) => Math.max(a, b), 0)
  return inside.map((mass, p) => {
    const from = offset + p * step
    const middle = from + length / 2
    const lost = best > 0 ? Math.max(0, keep - mass / best) : 0
    const off = mass > 0 ? (between(moments, from, from + length) / mass - middle) / length : 0
    const aside = (middle - frame / 2) / length
    return interval * (lost + costOfOffCentre * off ** 2 + costOfAside * aside ** 2)
  })
}

/** A running sum at a share of its length, between two of its own in proportion. */
function upTo(sums: Float64Array, share: number): number {
  const at = Math.min(Math.max(share, 0), 1) * (sums.length - 1)
  const below = Math.min(Math.floor(at), sums.length - 2)
  return sums[below]! + (sums[below + 1]! - sums[below]!) * (at - below)
}

/** A place and the steps that led to it; the first knot's are free. */
interface State {
  readonly place: number
  readonly speed: number
}

/** The places of all knots. A long shot is planned a part at a time, each from where the one before arrived. */
function plan(costs: (knot: number) => Float64Array, grid: Grid): number[] {
  const places: number[] = []
  let from: State | undefined
  for (let first = 0; first < grid.knots; ) {
    const count = Math.min(planned, grid.knots - first)
    const found = planPart((knot) => costs(first + knot), count, grid, from)
    const kept = first + count === grid.knots ? count : planned / 2
    for (const { place } of found.slice(0, kept)) places.push(place)
    from = found[kept - 1]
    first += kept
  }
  return places
}

/** The cheapest way over `count` knots. After `from`, or from anywhere. */
function planPart(costs: (knot: number) => Float64Array, count: number, { places, speed, turn, interval }: Grid, from: State | undefined): State[] {
  const speeds = 2 * speed + 1
  const states = places * speeds
  const moving = Float64Array.from({ length: speeds }, (_, i) => (speed === 0 ? 0 : costOfSpeed * interval * ((i - speed) / speed) ** 2))
  const turning = Float64Array.from({ length: 2 * turn + 1 }, (_, i) => (turn === 0 ? 0 : costOfAcceleration * interval * ((i - turn) / turn) ** 2))
  let best = new Float64Array(states).fill(from === undefined ? 0 : Number.POSITIVE_INFINITY)
  const turns: Int8Array[] = []
  for (let knot = 0; knot < count; knot++) {
    const here = costs(knot)
    const next = new Float64Array(states).fill(Number.POSITIVE_INFINITY)
    const taken = new Int8Array(states)
    if (knot === 0 && from === undefined) {
      // Whatever speed it begins with: the shot before was another.
      for (let s = 0; s < states; s++) next[s] = here[Math.floor(s / speeds)]!
    } else {
      if (knot === 0) best[from!.place * speeds + from!.speed + speed] = 0
      for (let place = 0; place < places; place++) {
        for (let now = 0; now < speeds; now++) {
          const before = place - (now - speed)
          if (before < 0 || before >= places) continue
          let [least, which] = [Number.POSITIVE_INFINITY, 0]
          for (let last = Math.max(0, now - turn); last <= Math.min(speeds - 1, now + turn); last++) {
            const cost = best[before * speeds + last]! + turning[now - last + turn]!
            if (cost < least) [least, which] = [cost, now - last]
          }
          next[place * speeds + now] = least + moving[now]! + here[place]!
          taken[place * speeds + now] = which
        }
      }
    }
    best = next
    turns.push(taken)
  }
  let state = best.reduce((least, cost, s) => (cost < best[least]! ? s : least), 0)
  const found: State[] = []
  for (let knot = count - 1; knot >= 0; knot--) {
    const [place, now] = [Math.floor(state / speeds), state % speeds]
    found.push({ place, speed: now - speed })
    state = (place - (now - speed)) * speeds + now - turns[knot]![state]!
  }
  return found.reverse()
}

/** The cubic B-spline of some knots, from the first one's time to the last one's; at both ends it goes straight on. */
function splineOf(knots: readonly number[], start: number, interval: number): CameraPath {
  const last = knots.length - 1
  const controls = knots.length === 1 ? Array<number>(4).fill(knots[0]!) : [2 * knots[0]! - knots[1]!, ...knots, 2 * knots[last]! - knots[last - 1]!]
  return (time) => {
    const at = Math.min(Math.max((time - start) / interval, 0), last)
    const i = Math.min(Math.floor(at), Math.max(last - 1, 0))
    const u = at - i
    const [a, b, c, d] = controls.slice(i, i + 4) as [number, number, number, number]
    if (a === b && b === c && c === d) return b
    return ((1 - u) ** 3 * a + (3 * u ** 3 - 6 * u ** 2 + 4) * b + (-3 * u ** 3 + 3 * u ** 2 + 3 * u + 1) * c + u ** 3 * d) / 6
  }
}
