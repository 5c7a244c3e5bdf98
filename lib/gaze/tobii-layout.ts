import type { Heading } from './heading.ts'
import type { Layout, TimeColumn } from './layout.ts'
import { notGaze } from './not-gaze.ts'
import { placesOf, timeScale } from './plain-layout.ts'
import type { TrackerOptions } from './tracker-options.ts'

// The names are those of Tobii's data exports: "Data export" in the manuals of Tobii Pro Lab and of Tobii Studio 3.

/**
 * An export of Tobii Pro Lab (`Recording timestamp [μs]`, `Gaze point X [DACS px]`) or of Tobii Studio (`RecordingTimestamp`,
 * `GazePointX (ADCSpx)`), a row a sample; undefined for another table. Places in the video (MCS) count before those on the screen (DACS, ADCS).
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_INVALID_ARGUMENT, saying what is missing
 */
export function tobiiLayout(path: string, headings: readonly Heading[], options: TrackerOptions): Layout | undefined {
  const lab = headings.find(({ base }) => base === 'recording timestamp')
  const studio = headings.find(({ base }) => base === 'recordingtimestamp')
  const clock = lab ?? studio
  if (clock === undefined) return undefined
  const find = (...names: string[]) => headings.find(({ base }) => names.includes(base))
  const spot = (name: string) => spotOf(headings, lab ? `${name} point ` : `${name}point`)
  const [fixation, gaze] = [spot('fixation'), spot('gaze')]
  const index = find('eye movement type index', 'fixationindex')
  const type = find('eye movement type', 'gazeeventtype')
  const given = options.fixations === undefined || options.fixations === 'given'
  const asFixations = given && fixation !== undefined && index !== undefined && type !== undefined
  const eye = asFixations ? fixation : gaze
  if (eye === undefined) {
    throw notGaze(
      path,
      `it is an export of Tobii's without 'Gaze point X' and 'Gaze point Y', or with fixations 'Fixation point X', 'Fixation point Y', 'Eye movement type' and 'Eye movement type index': export them too`,
    )
  }
  const sensor = find('sensor')
  const sampled = find('gazepointindex')
  const pair = (x: string, y: string) => pairOf(find(x), find(y))
  const area = pair('presented media position x', 'presented media position y') ?? pair('mediaposx', 'mediaposy')
  const size = pair('presented media width', 'presented media height') ?? pair('mediawidth', 'mediaheight')
  return {
    timing: 'samples',
    viewer: find('participant name', 'participantname'),
    eyes: [eye],
    // Without a unit, Tobii Pro Lab's points are pixels of the screen.
    places: eye.x.unit === undefined ? (options.places ?? 'pixels') : placesOf(path, eye.x, eye.y, options),
    time: timeOf(path, clock, clock === studio, options),
    fromFirst: options.start === undefined,
    video: find('presented media name', 'presented stimulus name', 'medianame', 'recording media name'),
    trial: find('recording name', 'recordingname'),
    only: sensor ? { heading: sensor, value: /^eye ?tracker$/i } : sampled && { heading: sampled, value: /./ },
    ...(asFixations && { fixation: index, shut: [{ heading: type, value: /^(?!fixation$)/i }] }),
    missing: /^(nan)?$/i,
    told: {
      screen: pair('recording resolution width', 'recording resolution height'),
      area: area && size && [...area, ...size],
      picture:
        pair('original media width', 'original media height') ?? pair('recording media width', 'recording media height') ?? pair('mediawidth', 'mediaheight'),
    },
  }
}

/** The best pair of columns of a kind of point: in the video, else on the screen; never those of one eye, or in millimetres. */
function spotOf(headings: readonly Heading[], base: string): { x: Heading; y: Heading } | undefined {
  for (const unit of ['mcsnorm', 'mcspx', 'dacspx', 'adcspx', undefined]) {
    const [x, y] = ['x', 'y'].map((axis) => headings.find((one) => one.base === base + axis && one.unit === unit))
    if (x && y) return { x, y }
  }
  return undefined
}

function pairOf(one: Heading | undefined, other: Heading | undefined): readonly [Heading, Heading] | undefined {
  return one && other && [one, other]
}

/** Tobii Studio counts milliseconds; Tobii Pro Lab says in brackets what it counts. */
function timeOf(path: string, heading: Heading, studio: boolean, options: TrackerOptions): TimeColumn {
  return { heading, scale: timeScale(path, studio ? { ...heading, unit: heading.unit ?? 'ms' } : heading, options) }
}
