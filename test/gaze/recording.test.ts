import { expect, test } from 'vitest'
import { GazeRecording, type GazeLook } from '../../lib/gaze/recording.ts'
import { Random } from '../../lib/random/random.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

const look = (viewer: string, start: number, duration: number, x = 0.5, y = 0.5): GazeLook => ({ viewer, start, duration, x, y })
const whoAt = (recording: GazeRecording, time: number) => recording.at(time).map(({ viewer }) => viewer)

test('a look begins with its start and is over at its end', () => {
  const recording = new GazeRecording([look('b', 100, 50, 0.2, 0.3), look('a', 0, 100), look('b', 200, 10)])
  expect(recording.viewers).toEqual(['a', 'b'])
  expect(recording.end).toBe(210)
  expect([-1, 0, 99.9, 100, 149.9, 150, 200, 210].map((time) => whoAt(recording, time).join())).toEqual(['', 'a', 'a', 'b', 'b', '', 'b', ''])
  expect(recording.at(120)).toEqual([{ viewer: 'b', x: 0.2, y: 0.3 }])
})

test('a viewer looks at one place at a time: the newer', () => {
  const recording = new GazeRecording([look('a', 0, 63, 0.1), look('a', 37, 280, 0.9), look('a', 37, 280, 0.8), look('b', 0, 500, 0.4)])
  expect(recording.at(36).map(({ x }) => x)).toEqual([0.1, 0.4])
  expect(recording.at(37).map(({ x }) => x)).toEqual([0.4, 0.8])
})

test('of many looks, short and long, it tells at any time what a search of all tells', () => {
  const random = new Random(1, 0)
  const looks = Array.from({ length: 400 }, (_, i) => look(`viewer ${i}`, Math.floor(random.uniform(0, 100)), i % 9 === 0 ? 90 : random.below(4)))
  const recording = new GazeRecording(looks)
  for (let time = -2; time < 200; time += 1.5) {
    const all = looks.filter(({ start, duration }) => start <= time && time < start + duration).map(({ viewer }) => viewer)
    expect(whoAt(recording, time).sort()).toEqual(all.sort())
  }
})

test('the viewers of two recordings are two, whatever their names', () => {
  const one = new GazeRecording([look('__proto__', 0, 10, 0.1)])
  const both = GazeRecording.join([one, new GazeRecording([look('__proto__', 5, 10, 0.2)])])
  expect(both.viewers).toEqual(['1/__proto__', '2/__proto__'])
  expect(both.at(7).map(({ x }) => x)).toEqual([0.1, 0.2])
  expect(GazeRecording.join([one])).toBe(one)
})

test('without looks it tells of nobody', () => {
  const { looks, viewers, end } = new GazeRecording([])
  expect({ looks, viewers, end }).toEqual({ looks: [], viewers: [], end: 0 })
  expect(new GazeRecording([]).at(0)).toEqual([])
})

test.each<[string, () => unknown, string]>([
  ['a start that is no number', () => new GazeRecording([look('a', 0, 1), look('a', Number.NaN, 1)]), 'looks[1].start'],
  ['a duration below 0', () => new GazeRecording([look('a', 0, -1)]), 'looks[0].duration'],
  ['a place that is none', () => new GazeRecording([look('a', 0, 1, Number.NaN)]), 'looks[0].x'],
  ['nobody', () => new GazeRecording([look('', 0, 1)]), 'looks[0].viewer'],
  ['null', () => new GazeRecording([null as never]), 'looks[0].viewer'],
  ['a time that is none', () => new GazeRecording([]).at(Number.NaN), 'time'],
  ['no list', () => new GazeRecording(undefined as never), 'looks'],
  ['what is no recording', () => GazeRecording.join([new GazeRecording([]), {} as never]), 'recordings[1]'],
  ['no recordings', () => GazeRecording.join([]), 'recordings'],
])('%s is refused by its name', async (_, make, argument) => {
  expect((await expectDiffSalError(make, 'ERR_DIFFSAL_INVALID_ARGUMENT')).argument).toBe(argument)
})
