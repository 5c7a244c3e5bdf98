import { invalidArgumentText } from '../errors.ts'
import { notGaze } from './not-gaze.ts'
import type { TrackerOptions } from './tracker-options.ts'
import { stemOf } from './video-name.ts'

/** A sample's place in each eye that was recorded. */
export interface AscSample {
  readonly time: number
  /** Its row in the file. */
  readonly line: number
  readonly places: { readonly [eye in 'left' | 'right']?: { readonly x: number | undefined; readonly y: number | undefined } }
}

/** A fixation that the tracker found. */
export interface AscFixation {
  readonly eye: 'left' | 'right'
  readonly time: number
  readonly duration: number
  readonly x: number
  readonly y: number
  readonly line: number
}

/** A sample or a fixation, in pixels and on the tracker's clock. */
export interface AscMoment {
  readonly time: number
  readonly duration?: number
  readonly x: number | undefined
  readonly y: number | undefined
  readonly line: number
}

/** What was recorded between two messages TRIALID. */
export class AscTrial {
  readonly messages: { readonly time: number; readonly text: string }[] = []
  readonly samples: AscSample[] = []
  readonly fixations: AscFixation[] = []

  /** Whether a message names the video, as a word of its own. */
  names(video: string): boolean {
    const name = new RegExp(`(?<![\\w-])${stemOf(video).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?![\\w-])`)
    return this.messages.some(({ text }) => name.test(text))
  }

  /** When the video began, on the tracker's clock. */
  startOf(path: string, start: TrackerOptions['start']): number {
    if (typeof start === 'number') return start
    const find = (part: string) => this.messages.find(({ text }) => text.includes(part))?.time
    const found = start === undefined ? (find('SYNCTIME') ?? find('!V VFRAME')) : find(start)
    if (found !== undefined) return found
    const texts = this.messages
      .slice(0, 12)
      .map(({ text }) => `'${text.slice(0, 40)}'`)
      .join(', ')
    const known = `its messages are ${texts === '' ? 'none' : texts}`
    if (start !== undefined) throw invalidArgumentText('start', `a part of a message of '${path}', where ${known}`, `'${start}'`)
    throw notGaze(path, `it has no message SYNCTIME that tells when the video began: say start: 'a part of the message', or a time; ${known}`)
  }

  /** The fixations of one eye. */
  fixationsOf(path: string, eye: TrackerOptions['eye']): readonly AscMoment[] {
    const eyes = new Set(this.fixations.map((one) => one.eye))
    const [only] = eyes
    const chosen = eyes.size === 1 && (eye === undefined || eye === 'both') ? only : eye
    if (chosen === undefined || chosen === 'both')
      throw notGaze(path, "it tells the fixations of both eyes: say eye: 'left' or 'right', or fixations: 'none' to take the samples")
    return this.fixations.filter((one) => one.eye === chosen)
  }

  /** The samples of one eye, or the mean of both where both are there. */
  *samplesOf(eye: TrackerOptions['eye'] = 'both'): Generator<AscMoment> {
    for (const { time, line, places } of this.samples) {
      const seen = [eye === 'right' ? undefined : places.left, eye === 'left' ? undefined : places.right].filter(
        (one) => one?.x !== undefined && one.y !== undefined,
      )
      const mean = (axis: 'x' | 'y') => (seen.length === 0 ? undefined : seen.reduce((sum, one) => sum + one![axis]!, 0) / seen.length)
      yield { time, line, x: mean('x'), y: mean('y') }
    }
  }
}
