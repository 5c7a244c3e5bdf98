import type { MapTensor } from '../metrics/metrics.ts'
import { number, readOptions, type OptionTable } from '../checks/table.ts'
import { checkMap, massOf } from './map-input.ts'

/** How {@link confidence} is measured. */
export interface ConfidenceOptions {
  /** What is added to every pixel, 0 to 1: what is no higher counts as nothing. 0 for maps that are not of 0 to 1. Default 0.001. */
  floor?: number | undefined
}

/** What there is to know of {@link ConfidenceOptions}. */
export const confidenceTable = { floor: number(0, 1, { usual: 0.001 }) } satisfies OptionTable<ConfidenceOptions>

/**
 * How concentrated a map is: 1 − H(p) / ln N, one minus the normalised entropy H = −Σ p ln p of p = (m + floor) / Σ (m + floor) over the
 * N pixels. 0 is a flat map, 1 a single pixel. Maps of one size can be compared: frames of a video, or videos. The floor makes that a map
 * which is hardly above zero anywhere counts as flat, whatever its form.
 *
 * It tells how much the model commits itself, not how often it is right.
 *
 * @param map - not negative, (h, w), (1, h, w) or (1, 1, h, w), values 0 to 1 as the network's
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function confidence(map: MapTensor, options?: ConfidenceOptions): number {
  const checked = checkMap(map, 0)
  const { floor } = readOptions<ConfidenceOptions, typeof confidenceTable>('options', options, confidenceTable)
  const count = checked.data.length
  const whole = massOf(checked) + floor * count
  if (whole === 0 || count === 1) return 0
  let entropy = 0
  for (let i = 0; i < count; i++) {
    const share = (checked.data[i]! + floor) / whole
    if (share > 0) entropy -= share * Math.log(share)
  }
  return Math.min(Math.max(1 - entropy / Math.log(count), 0), 1)
}
