import { invalidArgumentText } from '../errors.ts'
import { nearest } from '../checks/options.ts'
import { listed, placeUnitOf, timeUnitOf, timeUnits, type Heading } from './heading.ts'
import type { Layout, TimeColumn, Timing } from './layout.ts'
import { notGaze } from './not-gaze.ts'
import type { PlaceUnit } from './places.ts'
import type { GazeColumns, TrackerOptions } from './tracker-options.ts'

type Role = keyof GazeColumns

/** What columns are called, without their units. */
const known: Readonly<Record<Role, readonly string[]>> = {
  viewer: ['viewer', 'participant', 'participant_id', 'participant id', 'subject', 'subject_id', 'observer'],
  x: ['x', 'gaze_x', 'gaze x'],
  y: ['y', 'gaze_y', 'gaze y'],
  time: ['time', 'timestamp', 't'],
  start: ['start', 'onset'],
  duration: ['duration'],
  end: ['end'],
  frame: ['frame'],
  video: ['video', 'stimulus', 'media'],
}

const forms = "'viewer,start_ms,duration_ms,x,y', 'viewer,time_ms,x,y', 'viewer,frame,x,y'"

/**
 * A table whose columns have plain names, with units or without: a fixation, a sample or a frame a row. Where several times are there, fixations
 * count before samples, and samples before frames.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_INVALID_ARGUMENT, saying which option tells what the header does not
 */
export function plainLayout(path: string, headings: readonly Heading[], options: TrackerOptions): Layout {
  const find = (role: Role) => columnOf(path, headings, role, options.columns?.[role])
  const [x, y, start, duration, end, time, frame] = (['x', 'y', 'start', 'duration', 'end', 'time', 'frame'] as const).map(find)
  const viewer = find('viewer')
  const timing: Timing | undefined = start && (duration ?? end) ? 'fixations' : time ? 'samples' : frame ? 'frames' : undefined
  if (x === undefined || y === undefined || timing === undefined || (viewer === undefined && options.viewer === undefined)) {
    const lacks = x === undefined ? 'x' : y === undefined ? 'y' : timing === undefined ? 'time' : 'viewer'
    const how = lacks === 'viewer' ? "columns: { viewer: 'NAME' }, or viewer: 'NAME' where all rows are of one" : `columns: { ${lacks}: 'NAME' }`
    throw notGaze(path, `its first row must name the columns, such as ${forms}, but it is ${listed(headings)}; say ${how} where they are called otherwise`)
  }
  const timed = (heading: Heading): TimeColumn => ({ heading, scale: timeScale(path, heading, options) })
  return {
    timing,
    viewer,
    eyes: [{ x, y }],
    places: placesOf(path, x, y, options),
    time: timing === 'frames' ? { heading: frame!, scale: 1 } : timed(timing === 'fixations' ? start! : time!),
    ...(timing === 'fixations' && (duration ? { duration: timed(duration) } : { end: timed(end!) })),
    video: find('video'),
  }
}

function columnOf(path: string, headings: readonly Heading[], role: Role, named: string | undefined): Heading | undefined {
  const found = headings.filter(({ name, base }) => (named === undefined ? known[role].includes(base) : name.toLowerCase() === named.toLowerCase()))
  if (found.length > 1)
    throw notGaze(path, `its first row names the column '${found[0]!.name}' twice (${listed(found)}); say columns: { ${role}: 'NAME' } where they differ`)
  if (named !== undefined && found.length === 0) {
    const near = nearest(
      named,
      headings.map(({ name }) => name),
    )
    throw invalidArgumentText(
      `columns.${role}`,
      `a column of '${path}', which has ${listed(headings)}${near === undefined ? '' : ` (did you mean '${near}'?)`}`,
      `'${named}'`,
    )
  }
  return found[0]
}

/** Milliseconds in one of a column's times. */
export function timeScale(path: string, heading: Heading, { times }: TrackerOptions): number {
  const told = timeUnitOf(heading)
  if (told !== undefined && times !== undefined && told !== times) {
    throw invalidArgumentText('times', `left out or '${told}', which the column '${heading.name}' of '${path}' tells`, `'${times}'`)
  }
  const unit = told ?? times
  if (unit === undefined)
    throw notGaze(path, `its column '${heading.name}' does not tell its unit: say times: 's', 'ms' or 'us', or call it '${heading.name}_ms'`)
  return timeUnits[unit]
}

/** What a pair of columns counts places in. */
export function placesOf(path: string, x: Heading, y: Heading, { places }: TrackerOptions): PlaceUnit {
  const [across, down] = [placeUnitOf(x), placeUnitOf(y)]
  if (across !== down) throw notGaze(path, `its columns '${x.name}' (${across ?? 'no unit'}) and '${y.name}' (${down ?? 'no unit'}) have different units`)
  if (across === undefined) return places ?? 'shares'
  if (across === 'degrees') {
    if (places === 'degrees-down' || places === 'degrees-up') return places
    throw invalidArgumentText(
      'places',
      `'degrees-down' or 'degrees-up', since '${y.name}' of '${path}' does not tell where it goes`,
      places === undefined ? 'nothing' : `'${places}'`,
    )
  }
  // Pixels may be those of the screen or of the video.
  if (places === undefined || places === across || (across === 'pixels' && places === 'video-pixels')) return places ?? across
  throw invalidArgumentText('places', `left out or '${across}', which the column '${x.name}' of '${path}' tells`, `'${places}'`)
}
