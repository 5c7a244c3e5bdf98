import type { Heading } from './heading.ts'
import type { Layout } from './layout.ts'
import { notGaze } from './not-gaze.ts'
import type { TrackerOptions } from './tracker-options.ts'

// The names are those of the EyeLink Data Viewer user manual's fixation report and sample report.

/**
 * A report of EyeLink's Data Viewer: fixations (`CURRENT_FIX_START`, …) or samples (`TIMESTAMP`, `RIGHT_GAZE_X`, …); undefined for another table.
 * Times are milliseconds: of fixations since the trial's start; of samples on the tracker's clock, from which TRIAL_START_TIME is taken away.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, saying which column is missing
 */
export function eyeLinkLayout(path: string, headings: readonly Heading[], options: TrackerOptions): Layout | undefined {
  const find = (name: string) => headings.find((one) => one.name.trim().toUpperCase() === name)
  const need = (name: string) => find(name) ?? lacking(path, name)
  const viewer = find('RECORDING_SESSION_LABEL') ?? find('SESSION_LABEL') ?? find('DATA_FILE')
  const named = options.columns?.video?.toUpperCase()
  const shared = {
    viewer,
    places: 'pixels' as const,
    video: named === undefined ? undefined : need(named),
    trial: find('TRIAL_INDEX'),
    missing: /^(\.|nan)?$/i,
  }
  const time = (name: string) => ({ heading: need(name), scale: 1 })
  if (find('CURRENT_FIX_X')) {
    return {
      ...shared,
      timing: 'fixations',
      eyes: [{ x: need('CURRENT_FIX_X'), y: need('CURRENT_FIX_Y') }],
      time: time('CURRENT_FIX_START'),
      ...(find('CURRENT_FIX_DURATION') ? { duration: time('CURRENT_FIX_DURATION') } : { end: time('CURRENT_FIX_END') }),
    }
  }
  const eye = (side: string) => (find(`${side}_GAZE_X`) ? [{ x: need(`${side}_GAZE_X`), y: need(`${side}_GAZE_Y`) }] : [])
  const mean = eye('AVERAGE')
  const chosen = options.eye === undefined || options.eye === 'both' ? [...eye('LEFT'), ...eye('RIGHT')] : eye(options.eye.toUpperCase())
  const eyes = mean.length > 0 && options.eye === undefined ? mean : chosen
  if (find('TIMESTAMP') === undefined || eyes.length === 0) return undefined
  if (find('TRIAL_START_TIME') === undefined && options.start === undefined) {
    throw notGaze(path, `its 'TIMESTAMP' is on the tracker's clock: export 'TRIAL_START_TIME' too, or say start: TIME, when the video began`)
  }
  return {
    ...shared,
    timing: 'samples',
    eyes,
    time: time('TIMESTAMP'),
    zero: options.start === undefined ? time('TRIAL_START_TIME') : undefined,
    shut: ['AVERAGE_IN_BLINK', 'LEFT_IN_BLINK', 'RIGHT_IN_BLINK'].flatMap((name) => (find(name) ? [{ heading: find(name)!, value: /^1(\.0*)?$/ }] : [])),
  }
}

function lacking(path: string, name: string): never {
  throw notGaze(path, `it is a report of EyeLink's without the column '${name}': export it too`)
}
