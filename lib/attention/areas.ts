import { checkList, checkNumber, checkOptions, checkString, reading } from '../checks/options.ts'
import { invalidArgument, invalidArgumentText } from '../errors.ts'

/** A box in a video's picture that somebody asks about: an advert, a button, a face. */
export interface ReportArea {
  /** What it is called, up to 200 characters; no two have the same name. */
  name: string
  /** Its left edge, in pixels of the video's frame as it is shown. */
  x: number
  /** Its upper edge, likewise. */
  y: number
  /** How wide it is, in pixels, above 0. */
  width: number
  /** How high it is, in pixels, above 0. */
  height: number
  /** The second from which on it is there, on the video's clock. Default: from the beginning. */
  from?: number | undefined
  /** The second until which it is there. Default: to the end. */
  to?: number | undefined
}

/** When an area is there: from a second until another. */
export function timesOf({ from, to }: ReportArea): readonly [from: number, to: number] {
  return [from ?? Number.NEGATIVE_INFINITY, to ?? Number.POSITIVE_INFINITY]
}

/** How many areas a report takes. */
const most = 200

const names = ['name', 'x', 'y', 'width', 'height', 'from', 'to'] as const

/**
 * Areas as somebody drew them, of a video that need not be known.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT naming the area and its member
 */
export function checkAreas(argument: string, value: unknown): ReportArea[] {
  const areas = checkList(
    argument,
    value,
    `a list of 1 to ${most} areas, such as [{ "name": "logo", "x": 20, "y": 10, "width": 80, "height": 40 }]`,
    1,
    most,
  ).map((one, i) => checkArea(`${argument}[${i}]`, one))
  const first = new Map<string, number>()
  for (const [i, { name }] of areas.entries()) {
    const other = first.get(name)
    if (other !== undefined) throw invalidArgument(`${argument}[${i}].name`, `another name than that of ${argument}[${other}]`, name)
    first.set(name, i)
  }
  return areas
}

function checkArea(argument: string, value: unknown): ReportArea {
  return reading(argument, 'an area', () => {
    if (value === undefined || value === null) throw invalidArgument(argument, 'an object with name, x, y, width and height', value)
    const given = checkOptions<ReportArea>(argument, value as ReportArea, names)
    const name = checkString(`${argument}.name`, given.name)
    if (name.length > 200) throw invalidArgumentText(`${argument}.name`, 'a name of at most 200 characters', `one of ${name.length}`)
    const pixels = (member: 'x' | 'y' | 'width' | 'height'): number => checkNumber(`${argument}.${member}`, given[member], 0, 65_536)
    const [x, y, width, height] = [pixels('x'), pixels('y'), pixels('width'), pixels('height')]
    for (const [member, length] of [
      ['width', width],
      ['height', height],
    ] as const)
      if (length === 0) throw invalidArgument(`${argument}.${member}`, 'a number of pixels above 0', length)
    const { from, to } = given
    for (const [member, second] of [
      ['from', from],
      ['to', to],
    ] as const)
      if (second !== undefined) checkNumber(`${argument}.${member}`, second, 0, 1e9)
    if (to !== undefined && to <= (from ?? 0)) throw invalidArgument(`${argument}.to`, `a second after 'from', ${from ?? 0}`, to)
    return { name, x, y, width, height, from, to }
  })
}

/**
 * Refuses areas that a video does not have: not within its frame, or at no time of the part that is looked at.
 *
 * @param size [height, width] of the frame
 * @param part seconds that are looked at; Infinity where the end is not known
 */
export function checkAreasFit(
  argument: string,
  areas: readonly ReportArea[],
  [height, width]: readonly [number, number],
  [start, end]: readonly [number, number],
): void {
  for (const [i, area] of areas.entries()) {
    const { name, x, y } = area
    const [from, to] = timesOf(area)
    // Boxes that were computed may end a rounding beside the edge.
    if (x + area.width > width * (1 + 1e-9) || y + area.height > height * (1 + 1e-9)) {
      throw invalidArgumentText(
        `${argument}[${i}]`,
        `within the frame of ${width} × ${height} pixels`,
        `'${name}' with x ${x} to ${x + area.width} and y ${y} to ${y + area.height}`,
      )
    }
    if (from >= end) throw invalidArgumentText(`${argument}[${i}].from`, `before the end of what is looked at, ${short(end)} s`, `${from} s, of '${name}',`)
    if (to <= start) throw invalidArgumentText(`${argument}[${i}].to`, `after the beginning of what is looked at, ${short(start)} s`, `${to} s, of '${name}',`)
  }
}

const short = (seconds: number): number => Number(seconds.toFixed(3))
