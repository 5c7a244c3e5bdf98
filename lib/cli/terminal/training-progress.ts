import { SingleBar } from 'cli-progress'
import { printable } from '../../errors.ts'
import { durationText } from '../../report/duration.ts'
import { scoresLine } from '../../report/scores.ts'
import { standstillText } from '../../report/standstill.ts'
import { numberText } from '../../report/ticks.ts'
import type { StepEvent, TrainingEvent } from '../../training/events.ts'
import { tell } from './print.ts'

/** Shows how a training goes. */
export interface TrainingProgress {
  event(event: TrainingEvent): void
  /** While a dataset is scored: how many of its samples are done. */
  scoring(title: string, done: number, total: number): void
  /** Prints a line that stays. */
  line(text: string): void
  /** Clears the bar. */
  stop(): void
}

/** What a training's progress is measured by. */
export interface TrainingSize {
  readonly epochs: number
  /** As far as can be told before: samples without a map are passed over. */
  readonly stepsPerEpoch: number
}

/** Milliseconds between the lines that a log gets. */
const lineEvery = 10_000

/** A bar on a terminal; elsewhere a line every ten seconds. Ends of epochs and validations have a line that stays. */
export function showTrainingProgress(size: TrainingSize, stream: NodeJS.WriteStream = process.stderr, now = () => performance.now()): TrainingProgress {
  const display = stream.isTTY ? bar(stream) : lines(stream, now)
  return {
    event(event) {
      if (event.type === 'step') {
        const total = size.epochs * size.stepsPerEpoch
        display.now(Math.min(event.step, total), total, `epoch ${event.epoch + 1}/${size.epochs}, step ${event.step}, ${stepText(event)}`)
      } else {
        const text = eventText(event, size.epochs)
        if (text !== undefined) display.line(text)
      }
    },
    scoring(title, done, total) {
      display.now(done, total, `scoring ${printable(title)}: ${done}/${total} samples`)
    },
    line: (text) => display.line(text),
    stop: () => display.stop(),
  }
}

/** The progress of a process that another one shows: nothing but lines of its own. */
export function hiddenProgress(): TrainingProgress {
  return { event: () => undefined, scoring: () => undefined, line: (text) => tell(text), stop: () => undefined }
}

function stepText({ loss, lr, rate, remaining }: StepEvent): string {
  return `loss ${numberText(loss)}, learning rate ${numberText(lr)}, ${rate.toPrecision(2)} clips/s, ${durationText(remaining)} left`
}

function eventText(event: Exclude<TrainingEvent, StepEvent>, epochs: number): string | undefined {
  if (event.type === 'epoch')
    return `Epoch ${event.epoch + 1}/${epochs}: loss ${numberText(event.loss, 4)} after ${event.steps} steps, ${durationText(event.seconds)}.`
  if (event.type === 'validation')
    return `Validation after epoch ${event.epoch + 1}: ${scoresLine(event.scores.mean)}${event.best ? ' (the best so far)' : ''}.`
  if (event.type === 'stop') return `Stopped after epoch ${event.epoch + 1}/${epochs}: ${standstillText(event)}.`
  return undefined
}

interface Display {
  now(done: number, total: number, text: string): void
  line(text: string): void
  stop(): void
}

function bar(stream: NodeJS.WriteStream): Display {
  let current: SingleBar | undefined
  let shown: [number, number, string] | undefined
  const start = (done: number, total: number, text: string): SingleBar => {
    const fresh = new SingleBar({ stream, format: '[{bar}] {text}', hideCursor: true, clearOnComplete: true, stopOnComplete: false, barsize: 24 })
    fresh.start(total, done, { text })
    return fresh
  }
  const stop = (): void => {
    current?.stop()
    current = undefined
  }
  return {
    now(done, total, text) {
      if (shown?.[1] !== total) stop()
      shown = [done, total, text]
      if (current === undefined) current = start(done, total, text)
      else current.update(done, { text })
    },
    line(text) {
      const running = current !== undefined
      stop()
      tell(text, stream)
      if (running) current = start(...shown!)
    },
    stop,
  }
}

function lines(stream: NodeJS.WriteStream, now: () => number): Display {
  let last = Number.NEGATIVE_INFINITY
  return {
    now(_, __, text) {
      if (now() - last < lineEvery) return
      last = now()
      tell(text, stream)
    },
    line: (text) => tell(text, stream),
    stop: () => undefined,
  }
}
