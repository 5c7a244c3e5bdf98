import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ManyVideoOutcome, PredictVideosOptions } from '../lib/index.ts'
import { predictVideos } from '../lib/predict-videos.ts'
import { FakeModel } from './support/fake-model.ts'
import { ffmpeg, picture } from './support/media.ts'
import { temporaryPath } from './support/temporary.ts'

const clip = temporaryPath('clip.mp4')

beforeAll(() => ffmpeg(...picture('64x48', '25', 0.8), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', clip))

/** A folder with videos of these names; those called bad are none. */
function folderOf(name: string, ...videos: string[]): { videos: string; output: string } {
  const folder = temporaryPath(name)
  for (const video of videos) {
    const path = join(folder, 'videos', video)
    mkdirSync(join(path, '..'), { recursive: true })
    if (/bad/.test(video)) writeFileSync(path, 'no video')
    else copyFileSync(clip, path)
  }
  return { videos: join(folder, 'videos'), output: join(folder, 'out') }
}

/** Writes the frames that have a map, and counts them. */
const writing = (output: string, more: Partial<PredictVideosOptions<number>> = {}): PredictVideosOptions<number> => ({
  output,
  outputs: (place) => `${place}.txt`,
  stride: 5,
  seed: 1,
  videoOnly: true,
  write: async (maps, { outputs }) => {
    const frames: number[] = []
    for await (const { frame } of maps) frames.push(frame)
    mkdirSync(join(outputs[0]!, '..'), { recursive: true })
    writeFileSync(outputs[0]!, frames.join(' '))
    return frames.length
  },
  ...more,
})

async function all<Result>(outcomes: AsyncIterable<ManyVideoOutcome<Result>>): Promise<ManyVideoOutcome<Result>[]> {
  const list: ManyVideoOutcome<Result>[] = []
  for await (const outcome of outcomes) list.push(outcome)
  return list.sort((a, b) => (a.path < b.path ? -1 : 1))
}

describe('predictVideos', () => {
  it('predicts each once, tells what failed, and passes over what is finished and as it was', async () => {
    const { videos, output } = folderOf('once', 'a/one.mp4', 'b/bad.mp4', 'two.mp4')
    const model = new FakeModel()
    const first = await all(predictVideos(model, `${videos}/**/*.mp4`, writing(output)))
    expect(first.map(({ path, status }) => [path.slice(videos.length + 1), status])).toEqual([
      ['a/one.mp4', 'done'],
      ['b/bad.mp4', 'failed'],
      ['two.mp4', 'done'],
    ])
    expect(first[0]).toMatchObject({ outputs: [join(output, 'a/one.txt')], result: 4 })
    expect(first[1]).toMatchObject({ error: { code: 'ERR_DIFFSAL_MEDIA' } })
    expect(readFileSync(join(output, 'two.txt'), 'utf8')).toBe('0 5 10 15')
    expect(readdirSync(output).sort()).toEqual(['a', 'two.txt', 'two.txt.json'])

    rmSync(join(output, 'two.txt'))
    const again = await all(predictVideos(model, videos, writing(output)))
    expect(again.map(({ status }) => status)).toEqual(['skipped', 'failed', 'done'])
    expect(again[0]).toMatchObject({ result: 4 })
    // Other maps, or other settings, are another thing to make.
    for (const more of [{ stride: 4 }, { settings: { weights: 'other' } }]) {
      const other = await all(predictVideos(model, [`${videos}/two.mp4`], writing(output, more)))
      expect(other.map(({ status }) => status)).toEqual(['done'])
    }
    const same = await all(predictVideos(model, [`${videos}/two.mp4`], writing(output, { settings: { weights: 'other' }, batch: 2 })))
    expect(same.map(({ status }) => status)).toEqual(['skipped'])
  })

  it('takes its part of them', async () => {
    const { videos, output } = folderOf('part', 'a.mp4', 'b.mp4', 'c.mp4')
    const part = await all(predictVideos(new FakeModel(), videos, writing(output, { shard: '2/2' })))
    expect(part.map(({ path }) => path.slice(videos.length + 1))).toEqual(['b.mp4'])
  })

  it('ends the work at hand where its loop is left, and leaves nothing that looks finished', async () => {
    const { videos, output } = folderOf('left', 'a.mp4', 'b.mp4', 'c.mp4')
    const ended: string[] = []
    const write: PredictVideosOptions<number>['write'] = async (maps, video, signal) => {
      if (video.path.endsWith('a.mp4')) return writing(output).write(maps, video, signal)
      await new Promise((_, reject) => {
        const end = (): void => {
          ended.push(video.path.slice(-5))
          reject(signal.reason as Error)
        }
        if (signal.aborted) end()
        else signal.addEventListener('abort', end)
      })
      return 0
    }
    for await (const { status } of predictVideos(new FakeModel(), videos, writing(output, { write }))) {
      expect(status).toBe('done')
      break
    }
    expect(ended).toEqual(['b.mp4'])
    expect(readdirSync(output).sort()).toEqual(['a.txt', 'a.txt.json'])
  })

  it('refuses what does not go together before anything is predicted', async () => {
    const { videos, output } = folderOf('refused', 'a.mp4', 'a.mkv')
    const refused = async (inputs: never, options: object): Promise<unknown> => {
      const error: unknown = await all(predictVideos(new FakeModel(), inputs, options as never)).catch((reason: unknown) => reason)
      return error
    }
    const invalid = (argument: string) => ({ code: 'ERR_DIFFSAL_INVALID_ARGUMENT', argument })
    expect(await refused(videos as never, writing(output))).toMatchObject(invalid('input'))
    expect(await refused(3 as never, writing(output))).toMatchObject(invalid('inputs'))
    expect(await refused([] as never, writing(output))).toMatchObject(invalid('inputs'))
    expect(await refused(videos as never, { ...writing(output), write: 'it' })).toMatchObject(invalid('write'))
    expect(await refused(videos as never, { ...writing(output), outputs: () => [] })).toMatchObject(invalid('outputs'))
    expect(await refused(videos as never, writing(output, { shard: '3/2' }))).toMatchObject(invalid('shard'))
    expect(await refused(videos as never, writing(videos, { outputs: (place) => `${place}.mp4` }))).toMatchObject(invalid('output'))
    expect(existsSync(output)).toBe(false)
  })

  it('counts a video as failed whose outputs were not made', async () => {
    const { videos, output } = folderOf('unmade', 'a.mp4')
    const [one] = await all(predictVideos(new FakeModel(), videos, writing(output, { write: async () => 0 })))
    expect(one).toMatchObject({ status: 'failed', error: { code: 'ERR_DIFFSAL_INVALID_ARGUMENT', argument: 'write' } })
  })
})
