import { expect, test } from 'vitest'
import { scoreSceneBaselines } from '../../lib/scenes/baselines.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

test('what one of the senses can score', async () => {
  const means: number[] = []
  for (const n of [2, 3, 4]) {
    const scenes = { size: [64, 96], shapes: [n, n], length: 150 } as const
    const { video, audio, both, videoCcDerived } = await scoreSceneBaselines(scenes, { priorScenes: 500 })
    expect(video.cc).toBeCloseTo(videoCcDerived, 1.7)
    expect(video.cc).toBeLessThan(1 / Math.sqrt(n) + 0.01)
    expect(video.cc).toBeGreaterThan(1 / Math.sqrt(n) - 0.09)
    expect(video.sim).toBeGreaterThan(1 / n)
    expect(audio.cc).toBeGreaterThan(0.1)
    expect(audio.cc).toBeLessThan(0.25)
    expect([both.cc, both.sim]).toEqual([expect.closeTo(1, 5), expect.closeTo(1, 3)])
    for (const name of ['cc', 'sim', 'nss', 'aucJudd'] as const) {
      expect(audio[name]).toBeLessThan(video[name])
      expect(video[name]).toBeLessThan(both[name])
    }
    means.push(video.cc)
  }
  expect(means.toSorted((a, b) => b - a)).toEqual(means)
})

test('options are checked', async () => {
  await expectDiffSalError(() => scoreSceneBaselines({}, { priorScenes: 0 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'priorScenes')
  await expectDiffSalError(() => scoreSceneBaselines({ hues: 2 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'hues')
})
