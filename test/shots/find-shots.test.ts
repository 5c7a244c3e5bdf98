import { afterEach, describe, expect, test, vi } from 'vitest'
import { findShots, type FindShotsOptions, type Shot } from '../../lib/index.ts'
import { predictMedia, predictVideo, readVideoOptions } from '../../lib/predict-video.ts'
import { probe } from '../../lib/media/probe.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { FakeModel } from '../support/fake-model.ts'
import { ffmpegs } from '../support/ffmpegs.ts'
import { ffmpeg, frameNumber, numberedFrames, runningFfmpegs, tone } from '../support/media.ts'
import { sceneClip } from '../support/shot-clips.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(async () => {
  vi.unstubAllEnvs()
  expect(await runningFfmpegs()).toEqual([])
})

async function shotsIn(path: string, options?: FindShotsOptions): Promise<Shot[]> {
  const shots: Shot[] = []
  for await (const shot of findShots(path, options)) shots.push(shot)
  return shots
}

/** How each shot begins, and with which frame. */
async function startsIn(path: string, options?: FindShotsOptions): Promise<string[]> {
  return (await shotsIn(path, options)).map(({ begins, frame }) => `${begins} ${frame}`)
}

describe.each(ffmpegs)('%s', (_name, program) => {
  test('hard cuts, with numbers, lengths and times', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const path = await sceneClip('cuts.mkv', [
      ['bars', 30],
      ['test', 25],
      ['colours', 20],
    ])
    expect(await shotsIn(path)).toEqual([
      { shot: 0, begins: 'video', frame: 0, frames: 30, start: 0, end: 1.2 },
      { shot: 1, begins: 'cut', frame: 30, frames: 25, start: 1.2, end: 2.2 },
      { shot: 2, begins: 'cut', frame: 55, frames: 20, start: 2.2, end: 3 },
    ])
  })

  test('a fade through black, slow and fast, and a cut to black and out of it: the black belongs to the shot before', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    for (const length of [4, 8, 15]) {
      const path = await sceneClip(`fade-${length}.mkv`, [
        ['bars', 40, `fade=out:${40 - length}:${length}`],
        ['bars', 10, 'lutyuv=y=16:u=128:v=128'],
        ['test', 40, `fade=in:0:${length}`],
      ])
      const shots = await shotsIn(path)
      expect(
        shots.map(({ begins }) => begins),
        `${length}`,
      ).toEqual(['video', 'fade'])
      // The first frames of a slow fade are as black as the others.
      expect(shots[1]!.frame).toBeGreaterThanOrEqual(50)
      expect(shots[1]!.frame).toBeLessThanOrEqual(50 + Math.ceil(length / 4))
    }
    const black = await sceneClip('black.mkv', [
      ['bars', 20],
      ['bars', 10, 'lutyuv=y=16:u=128:v=128'],
      ['test', 20],
    ])
    expect(await startsIn(black)).toEqual(['video 0', 'fade 30'])
  })

  test('a fade through white', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const path = await sceneClip('white.mkv', [
      ['bars', 40, 'fade=out:25:15:color=white'],
      ['test', 40, 'fade=in:0:15:color=white'],
    ])
    expect((await startsIn(path)).map((text) => text.split(' ')[0])).toEqual(['video', 'fade'])
  })

  test('black at the beginning or the end is no shot of its own', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const path = await sceneClip('ends.mkv', [
      ['bars', 12, 'lutyuv=y=16:u=128:v=128'],
      ['test', 30],
      ['bars', 12, 'lutyuv=y=16:u=128:v=128'],
    ])
    expect(await startsIn(path)).toEqual(['video 0'])
  })

  test('a flash is no cut, white or not, nor is a frame that is black; one of another length is', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    for (const box of ['c=white', 'c=white@0.7', 'c=black']) {
      const flash = (from: number, to: number): string => `drawbox=${box}:t=fill:x=0:y=0:w=iw:h=ih:enable='between(n,${from},${to})'`
      expect(await startsIn(await sceneClip(`flash-${box}.mkv`, [['bars', 40, flash(20, 21)]])), box).toEqual(['video 0'])
      expect(await startsIn(await sceneClip(`long-${box}.mkv`, [['bars', 40, flash(15, 25)]])), box).toHaveLength(box === 'c=white@0.7' ? 3 : 2)
    }
    // A flash in the last frame before a cut.
    const path = await sceneClip('flash-cut.mkv', [
      ['bars', 20, "drawbox=c=white:t=fill:x=0:y=0:w=iw:h=ih:enable='eq(n,17)'"],
      ['test', 20],
    ])
    expect(await startsIn(path)).toEqual(['video 0', 'cut 20'])
  })

  test('a pan is no cut, and a cut in the middle of one is', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const pan = (from: number): string =>
      `select=eq(n\\,0),scale=1280:360:flags=neighbor,loop=-1:1,setpts=N/25/TB,trim=end_frame=40,crop=320:180:'${from}+n*22':90`
    expect(await startsIn(await sceneClip('pan.mkv', [['test', 41, pan(0)]]))).toEqual(['video 0'])
    const cut = await sceneClip('pan-cut.mkv', [
      ['test', 41, pan(0)],
      ['bars', 41, pan(0)],
    ])
    expect(await startsIn(cut)).toEqual(['video 0', 'cut 40'])
  })

  test('shots of one frame', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const path = temporaryPath('single.mkv')
    const source = "color=black:s=64x36:r=25,format=gbrp,geq=r='mod(N*97,256)':g='mod(N*61+80,256)':b='mod(N*151+160,256)'"
    await ffmpeg('-f', 'lavfi', '-i', source, '-frames:v', '12', '-c:v', 'ffv1', '-pix_fmt', 'gbrp', path)
    expect((await shotsIn(path)).map(({ frame, frames }) => [frame, frames])).toEqual(Array.from({ length: 12 }, (_, k) => [k, 1]))
    await ffmpeg('-f', 'lavfi', '-i', source, '-frames:v', '1', '-c:v', 'ffv1', '-pix_fmt', 'gbrp', path)
    expect(await shotsIn(path)).toEqual([{ shot: 0, begins: 'video', frame: 0, frames: 1, start: 0, end: 0.04 }])
  })
})

/** A clip in which one scene is laid over the other, over `length` frames from the 40th on, and 40 more. */
async function dissolving(name: string, length: number, [first, second]: readonly [string, string] = ['smptebars', 'testsrc'], rate = 25): Promise<string> {
  const path = temporaryPath(name)
  const share = `clip((N-39)/${length + 1},0,1)`
  const graph = `[0]format=gbrp[a];[1]format=gbrp[b];[a][b]blend=all_expr='A*(1-${share})+B*${share}':shortest=1[out]`
  await ffmpeg(
    '-f',
    'lavfi',
    '-i',
    `${first}=s=160x90:r=${rate}`,
    '-f',
    'lavfi',
    '-i',
    `${second}=s=160x90:r=${rate}`,
    '-filter_complex',
    graph,
    '-map',
    '[out]',
    '-frames:v',
    `${80 + length}`,
    '-c:v',
    'libx264rgb',
    '-qp',
    '0',
    '-preset',
    'ultrafast',
    path,
  )
  return path
}

test('dissolves, short and long, begin a shot in their middle', async () => {
  for (const [length, rate] of [
    [8, 25],
    [14, 25],
    [25, 25],
    [40, 25],
    [50, 50],
  ] as const) {
    const found = await shotsIn(await dissolving(`dissolve-${length}.mkv`, length, undefined, rate))
    expect(
      found.map(({ begins }) => begins),
      `${length}`,
    ).toEqual(['video', 'dissolve'])
    expect(Math.abs(found[1]!.frame - 40 - length / 2), `${length}`).toBeLessThanOrEqual(1 + length / 10)
  }
})

test('a dissolve is none where none is asked for, or it takes longer than what is asked for', async () => {
  const long = await dissolving('dissolve-long.mkv', 40)
  expect(await startsIn(long, { dissolve: 0 })).toEqual(['video 0'])
  expect(await startsIn(long, { dissolve: 0.5 })).toEqual(['video 0'])
})

test('two dissolves, and a cut between', async () => {
  const [one, two] = [await dissolving('one.mkv', 20), await dissolving('two.mkv', 20, ['rgbtestsrc', 'smptebars'])]
  const joined = temporaryPath('joined.mkv')
  await ffmpeg('-i', one, '-i', two, '-filter_complex', '[0][1]concat', '-c:v', 'libx264rgb', '-qp', '0', '-preset', 'ultrafast', joined)
  const found = await shotsIn(joined)
  expect(found.map(({ begins }) => begins)).toEqual(['video', 'dissolve', 'cut', 'dissolve'])
  for (const [i, frame] of [0, 50, 100, 150].entries()) expect(Math.abs(found[i]!.frame - frame), `${i}`).toBeLessThanOrEqual(2)
})

test('what is no dissolve: a zoom, a changing light, a fade to black, a title that fades in, a real clip', async () => {
  const clip = async (name: string, ...args: string[]): Promise<string[]> => {
    const path = temporaryPath(name)
    await ffmpeg(...args, '-c:v', 'libx264', '-qp', '4', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', path)
    return startsIn(path)
  }
  const still = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=0.04']
  expect(await clip('zoom.mkv', ...still, '-vf', "zoompan=z='1+on/50':d=80:x='iw/4':y='ih/4':s=160x90:fps=25")).toEqual(['video 0'])
  const moving = ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=25:d=4']
  expect(await clip('light.mkv', '-f', 'lavfi', '-i', 'testsrc=s=160x90:r=25:d=5', '-vf', 'fade=in:0:120,trim=start_frame=30,setpts=PTS-STARTPTS')).toEqual([
    'video 0',
  ])
  expect(await clip('black.mkv', ...moving, '-vf', 'fade=out:40:30')).toEqual(['video 0'])
  expect(
    await clip(
      'title.mkv',
      ...moving,
      '-f',
      'lavfi',
      '-i',
      'color=white:s=100x30:r=25:d=4',
      '-filter_complex',
      '[1]format=yuva420p,fade=in:30:20:alpha=1[title];[0][title]overlay=30:50',
    ),
  ).toEqual(['video 0'])
  expect(await startsIn('examples/speaker.mp4')).toEqual(['video 0'])
})

test('frames at uneven times, and a video that begins after its sound', async () => {
  const path = await sceneClip(
    'source.mkv',
    [
      ['bars', 20],
      ['test', 20],
    ],
    tone(2),
  )
  const late = temporaryPath('late.mkv')
  await ffmpeg('-itsoffset', '0.5', '-i', path, '-i', path, '-map', '0:v', '-map', '1:a', '-c', 'copy', late)
  expect((await shotsIn(late)).map(({ start, end }) => [start, end].map((time) => Math.round(time * 100) / 100))).toEqual([
    [0.5, 1.3],
    [1.3, 2.1],
  ])
})

test('the threshold, the fade and the flash are what is told', async () => {
  // 35 steps of brightness apart, which only a changing light could be.
  const greys = temporaryPath('greys.mkv')
  const source = "color=black:s=64x36:r=25,format=gray,geq=lum='if(gte(N,20)*lt(X,32)+lt(N,20)*gte(X,32),135,100)'"
  await ffmpeg('-f', 'lavfi', '-i', source, '-frames:v', '40', '-c:v', 'ffv1', greys)
  expect(await startsIn(greys)).toEqual(['video 0', 'cut 20'])
  expect(await startsIn(greys, { threshold: 100 })).toEqual(['video 0'])
  const grey = await sceneClip('grey.mkv', [
    ['bars', 20],
    ['bars', 5, 'lutyuv=y=40:u=128:v=128'],
    ['bars', 20],
  ])
  expect(await startsIn(grey, { flash: 0 })).toEqual(['video 0', 'cut 20', 'cut 25'])
  expect(await startsIn(grey, { flash: 0.2 })).toEqual(['video 0'])
  expect(await startsIn(grey, { fade: 40, flash: 0 })).toEqual(['video 0', 'fade 25'])
})

test('progress, leaving and aborting', async () => {
  const path = await sceneClip('long.mkv', [
    ['bars', 100],
    ['test', 100],
  ])
  const told: unknown[] = []
  await shotsIn(path, { onProgress: (progress) => told.push(progress) })
  expect(told).toEqual([64, 128, 192].map((frames) => ({ frames, frameEstimate: 200 })))
  for await (const { shot } of findShots(path)) {
    expect(shot).toBe(0)
    break
  }
  expect(await runningFfmpegs()).toEqual([])
  const reason = new Error('enough')
  await expect(shotsIn(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const controller = new AbortController()
  await expect(shotsIn(path, { signal: controller.signal, onProgress: () => controller.abort(reason) })).rejects.toBe(reason)
})

test('what cannot be', async () => {
  await expectDiffSalError(() => shotsIn('nowhere.mp4'), 'ERR_DIFFSAL_FILE', /nowhere/)
  const sound = temporaryPath('sound.wav')
  await ffmpeg(...tone(1), sound)
  await expectDiffSalError(() => shotsIn(sound), 'ERR_DIFFSAL_MEDIA', /no video/)
  await expectDiffSalError(() => shotsIn(sound, { threshold: 0 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /threshold/)
  await expectDiffSalError(() => shotsIn(sound, { treshold: 9 } as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', /did you mean 'threshold'/i)
})

/** The frame numbers in the first window of a call. */
function windowOf(model: FakeModel, call: number): number[] {
  const { data } = model.calls[call]!.input.frames!
  return Array.from({ length: 16 }, (_, t) => frameNumber(data, t * 32 * 32 * 3))
}

test('the windows of a prediction do not mix shots, the sound is not cut, and maps tell their shot', async () => {
  const path = temporaryPath('numbered.mkv')
  // The red goes round each 16 frames, which looks like a cut.
  await numberedFrames(path, 45, '25', ['-f', 'lavfi', '-i', 'sine=d=1.8', '-c:a', 'flac'])
  const [model, usual] = [new FakeModel({ size: [32, 32] }), new FakeModel({ size: [32, 32] })]
  const shots: (number | undefined)[] = []
  for await (const { shot } of predictVideo(model, path, { shots: true })) shots.push(shot)
  for await (const map of predictVideo(usual, path)) expect(map).not.toHaveProperty('shot')
  expect(shots).toEqual(Array.from({ length: 45 }, (_, k) => Math.floor(k / 16)))
  for (let k = 0; k < 45; k++) {
    const [first, last] = [16 * Math.floor(k / 16), Math.min(16 * Math.floor(k / 16) + 15, 44)]
    expect(windowOf(model, k), `frame ${k}`).toEqual(Array.from({ length: 16 }, (_, t) => Math.min(Math.max(k - 8 + t, first), last)))
  }
  expect(model.calls.map(({ input }) => input.audio)).toEqual(usual.calls.map(({ input }) => input.audio))
})

test('with a stride and batches, every frame between has its mark', async () => {
  const path = temporaryPath('numbered.mkv')
  await numberedFrames(path, 45, '25')
  const model = new FakeModel({ size: [32, 32], audio: false })
  const maps = predictMedia(model, await probe(path), readVideoOptions(model, { shots: { threshold: 30 }, stride: 10, batch: 3 }))
  const marked: number[] = []
  const shots: unknown[] = []
  for (;;) {
    const next = await maps.next()
    for (const { shot, light } of next.value!.marks!) {
      marked.push(shot)
      expect(light).toBeGreaterThan(40)
    }
    expect(next.value!.marks!.length).toBe(next.value!.times.length)
    if (next.done) break
    shots.push([next.value.frame, next.value.shot])
  }
  expect(marked).toEqual(Array.from({ length: 45 }, (_, k) => Math.floor(k / 16)))
  expect(shots).toEqual([
    [0, 0],
    [10, 0],
    [20, 1],
    [30, 1],
    [40, 2],
  ])
})

test('a model of sound alone tells shots where there is a picture', async () => {
  const path = await sceneClip(
    'heard.mkv',
    [
      ['bars', 20],
      ['test', 20],
    ],
    tone(1.6),
  )
  const shots: unknown[] = []
  for await (const { frame, shot } of predictVideo(new FakeModel({ video: false }), path, { shots: true, stride: 10 })) shots.push([frame, shot])
  expect(shots).toEqual([
    [0, 0],
    [10, 0],
    [20, 1],
    [30, 1],
  ])
})
