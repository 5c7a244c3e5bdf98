import type { TrainingEvent } from '../training/events.ts'
import type { RunLog } from './log.ts'

/** What a session does with its log. */
export type SessionLog = Pick<RunLog, 'events' | 'append' | 'close'>

/** The log of a process that is not the one to write it. */
export function unwrittenLog(): SessionLog {
  const events: TrainingEvent[] = []
  return {
    events,
    append(event) {
      events.push(event)
      return true
    },
    close: () => undefined,
  }
}
