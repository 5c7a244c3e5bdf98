import { expect, test } from 'vitest'
import { audioVisualWindows, clipFrames, testFrames, trainingFrames, videoWindows } from '../../lib/datasets/windows.ts'

test('training windows: 90 frames, every 74, their middle frame', () => {
  expect(trainingFrames(90, audioVisualWindows)).toEqual([45, 74 + 8])
  expect(trainingFrames(238, audioVisualWindows)).toEqual([45, 119, 193, 222 + 8])
  expect(trainingFrames(75, audioVisualWindows)).toEqual([37])
  expect(trainingFrames(76, audioVisualWindows)).toEqual([38, 75])
  expect(trainingFrames(2, audioVisualWindows)).toEqual([1])
  expect(trainingFrames(1, audioVisualWindows)).toEqual([])
  expect(trainingFrames(0, audioVisualWindows)).toEqual([])
})

test('the clip is the centre 16 of a whole window', () => {
  // The released program counts from 1: of frames 1 … 90 it takes those at 37 … 52 of the list, and the map of frame 46.
  expect(clipFrames(45, 16, 500).map((k) => k + 1)).toEqual([38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53])
})

test('on the sets without sound, clip follows clip', () => {
  expect(trainingFrames(48, videoWindows)).toEqual([8, 24, 40])
  expect(trainingFrames(50, videoWindows)).toEqual([8, 24, 40, 49])
  expect(trainingFrames(49, videoWindows)).toEqual([8, 24, 40])
  expect(clipFrames(24, 16, 48)).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31])
})

test('testing has a window for every frame, the edge frames repeated', () => {
  expect(testFrames(5, 1)).toEqual([0, 1, 2, 3, 4])
  expect(testFrames(5, 2)).toEqual([0, 2, 4])
  expect(testFrames(1, 1)).toEqual([])
  expect(clipFrames(0, 16, 20)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7])
  expect(clipFrames(18, 16, 20)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 19, 19, 19, 19, 19, 19])
  expect(clipFrames(1, 4, 2)).toEqual([0, 0, 1, 1])
})
