import { printable } from '../errors.ts'
import type { PlaceUnit } from './places.ts'

/** A unit of time: 'us' are microseconds. */
export type TimeUnit = 's' | 'ms' | 'us' | 'ns'

/** Milliseconds in each unit of time. */
export const timeUnits: Readonly<Record<TimeUnit, number>> = { s: 1000, ms: 1, us: 1e-3, ns: 1e-6 }

/** A column's name, taken apart: `Recording timestamp [ms]`, `x_px`, `GazePointX (ADCSpx)`. */
export interface Heading {
  /** As the file has it. */
  readonly name: string
  /** In lower case without the unit: `recording timestamp`. */
  readonly base: string
  /** In lower case without spaces: `ms`, `px`, `adcspx`; undefined where the name tells none. */
  readonly unit: string | undefined
  /** Its place in a row, from 0. */
  readonly column: number
}

const times: Readonly<Record<string, TimeUnit>> = {
  ...{ s: 's', sec: 's', seconds: 's', ms: 'ms', msec: 'ms', milliseconds: 'ms' },
  ...{ us: 'us', '\u00b5s': 'us', '\u03bcs': 'us', usec: 'us', microseconds: 'us', ns: 'ns', nanoseconds: 'ns' },
}

const places: Readonly<Record<string, PlaceUnit | 'degrees'>> = {
  ...{ px: 'pixels', pix: 'pixels', pixels: 'pixels', dacspx: 'pixels', adcspx: 'pixels', mcspx: 'video-pixels' },
  ...{ norm: 'shares', mcsnorm: 'shares', shares: 'shares', deg: 'degrees', degrees: 'degrees' },
}

/** Takes the names of a header apart. */
export function headingsOf(header: readonly string[]): Heading[] {
  return header.map((name, column) => {
    const lower = name.trim().toLowerCase()
    const bracketed = /^(.*\S)\s*[([]([^()[\]]*)[)\]]$/.exec(lower)
    if (bracketed) return { name, base: bracketed[1]!, unit: bracketed[2]!.replace(/\s/g, ''), column }
    const tailed = /^(.+)_([^_]+)$/.exec(lower)
    if (tailed && (Object.hasOwn(times, tailed[2]!) || Object.hasOwn(places, tailed[2]!))) return { name, base: tailed[1]!, unit: tailed[2]!, column }
    return { name, base: lower, unit: undefined, column }
  })
}

/** The unit of time that a column's name tells. */
export function timeUnitOf({ unit }: Heading): TimeUnit | undefined {
  return unit !== undefined && Object.hasOwn(times, unit) ? times[unit] : undefined
}

/** The unit of places that a column's name tells; degrees do not tell whether they go up or down. */
export function placeUnitOf({ unit }: Heading): PlaceUnit | 'degrees' | undefined {
  return unit !== undefined && Object.hasOwn(places, unit) ? places[unit] : undefined
}

/** A header as messages have it. */
export function listed(headings: readonly Heading[]): string {
  return printable(headings.map(({ name }) => `'${name}'`).join(', ')).slice(0, 400)
}
