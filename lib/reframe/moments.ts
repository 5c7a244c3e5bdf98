/** A frame that could be a video's picture. */
export interface Moment {
  readonly frame: number
  readonly time: number
  /** The number of its shot; undefined where shots are not looked for. */
  readonly shot?: number
  /** Its mean brightness, 0 to 255, likewise. */
  readonly light?: number
  /** How concentrated its map is. */
  readonly confidence: number
  /** Where its window begins, in pixels. */
  readonly x: number
  readonly y: number
}

/** A frame that is darker than this share of its shot's median is in a fade to black; likewise of white. */
const faded = 0.6

/** The most concentrated moments, no two nearer than `apart` seconds; those in fades only where there is nothing else at all. */
export function chooseMoments(moments: readonly Moment[], count: number, apart: number): Moment[] {
  const clear = withoutFades(moments)
  const chosen: Moment[] = []
  for (const one of (clear.length > 0 ? clear : moments).toSorted((a, b) => b.confidence - a.confidence)) {
    if (chosen.length === count) break
    if (chosen.every(({ frame, time }) => frame !== one.frame && Math.abs(time - one.time) >= apart)) chosen.push(one)
  }
  return chosen
}

function withoutFades(moments: readonly Moment[]): Moment[] {
  const lights = new Map<number, number[]>()
  for (const { shot = 0, light } of moments) {
    if (light === undefined) continue
    const all = lights.get(shot)
    if (all) all.push(light)
    else lights.set(shot, [light])
  }
  const median = new Map([...lights].map(([shot, all]) => [shot, all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]!]))
  return moments.filter(({ shot = 0, light }) => {
    if (light === undefined) return true
    const usual = median.get(shot)!
    return light > 12 && light < 243 && light >= faded * usual && 255 - light >= faded * (255 - usual)
  })
}
