import { describe, expect, test } from 'vitest'
import { concatDatasets, type SaliencyDataset } from '../../lib/datasets/dataset.ts'
import { soundingScenes } from '../../lib/datasets/scenes.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

/** A dataset whose samples say whose they are. */
function listed(...videos: string[]): SaliencyDataset {
  const sample = (video: string) => ({ video, frame: 0 }) as never
  return { length: videos.length, videos, get: async (index) => sample(videos[index]!), truth: async (video) => ({ density: sample(video) }) as never }
}

/** Scenes that must not be listed. */
function unlisted(seed: number, length = 10_000_000): SaliencyDataset {
  const scenes = soundingScenes({ seed, length, size: [32, 48] })
  return Object.defineProperty(scenes, 'videos', { get: () => expect.fail('all names were asked for') })
}

const refused = (datasets: SaliencyDataset[], message: RegExp): Promise<unknown> =>
  expectDiffSalError(() => concatDatasets(datasets), 'ERR_DIFFSAL_INVALID_ARGUMENT', message)

describe('several datasets as one', () => {
  test('may be of millions of samples', async () => {
    const both = concatDatasets([listed('a', 'scenes-3/train/10000000', 'scenes-3/train/01'), unlisted(3), concatDatasets([unlisted(4), listed('b')])])
    expect(both.length).toBe(20_000_004)
    expect((await both.get(20_000_002))!.video).toBe('scenes-4/train/9999999')
    expect((await both.get(20_000_003))!.video).toBe('b')
    expect(await both.truth('b', 0)).toEqual({ density: { video: 'b', frame: 0 } })
    expect((await both.truth('scenes-4/train/9999999', 8))!.density!.shape).toEqual([32, 48])
    expect(await both.truth('scenes-4/train/10000000', 8)).toBeUndefined()
    expect(await both.truth('scenes-5/train/0', 8)).toBeUndefined()
  })

  test('are of different videos', async () => {
    await refused([listed('a'), unlisted(3), listed('b', 'a')], /'datasets\[2\]' must be of other videos than 'datasets\[0\]', but both have 'a'/)
    await refused(
      [unlisted(3), unlisted(4), unlisted(3, 5)],
      /'datasets\[2\]' must be of other videos than 'datasets\[0\]', but both have 'scenes-3\/train\/0'/,
    )
    await refused(
      [unlisted(3), listed('scenes-3/train/9999999')],
      /'datasets\[1\]' must be of other videos than 'datasets\[0\]', but both have 'scenes-3\/train\/9999999'/,
    )
    await refused([unlisted(3), concatDatasets([listed('a'), unlisted(3, 1)])], /'datasets\[1\]' must be of other videos than 'datasets\[0\]'/)
    expect(concatDatasets([soundingScenes({ length: 2 }), listed('a')]).videos).toEqual(['scenes-0/train/0', 'scenes-0/train/1', 'a'])
  })

  test('of scenes are at most ten million each', async () => {
    expect(soundingScenes({ length: 10_000_000 }).length).toBe(10_000_000)
    await expectDiffSalError(() => soundingScenes({ length: 10_000_001 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'length' must be an integer from 1 to 10000000/)
  })
})
