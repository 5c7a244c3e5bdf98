import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { probe } from '../lib/media/probe.ts'
import { decodeFrames, ffmpeg } from './support/media.ts'
import { installExample, userFolder } from './support/user-folder.ts'

/** A wide video, light grey, with a spot that is the only thing in it. */
async function spotVideo(path: string, x: number): Promise<void> {
  const spot = `drawbox=x=${x}:y=60:w=40:h=60:c=red:t=fill`
  await ffmpeg(
    '-f',
    'lavfi',
    '-i',
    `color=0xc0c0c0:s=320x180:r=25:d=1,${spot}`,
    '-f',
    'lavfi',
    '-i',
    'sine=frequency=440:duration=1',
    '-c:v',
    'libx264',
    '-qp',
    '0',
    '-c:a',
    'aac',
    path,
  )
}

test('the examples are short', () => {
  // All but the training loop by hand, which makes up its data.
  for (const name of readdirSync('examples').filter((one) => one.endsWith('.ts') && one !== 'train.ts'))
    expect(readFileSync(join('examples', name), 'utf8').trimEnd().split('\n').length, name).toBeLessThanOrEqual(40)
})

test('crop-9-16.ts writes an upright video with its sound, which holds what the maps are about', async () => {
  const folder = userFolder('crop')
  const program = installExample(folder, 'crop-9-16.ts')
  await ffmpeg('-t', '1', '-i', 'examples/speaker.mp4', join(folder, 'short.mp4'))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, 'short.mp4', 'upright.mp4'], { cwd: folder, timeout: 120_000 })
  expect(stderr).toBe('')
  const [, from, to] = /^upright\.mp4: 360 × 202, the window moves from (\d+) to (\d+)\n$/.exec(stdout)!.map(Number)
  const { video, audio } = await probe(join(folder, 'upright.mp4'))
  expect(video).toMatchObject({ width: 202, height: 360 })
  expect(audio).toMatchObject({ codec: 'aac' })
  // The first and the last frame are the original's, from where it says.
  const [whole, cropped] = [
    await decodeFrames(join(folder, 'short.mp4'), 'gray', 640 * 360),
    await decodeFrames(join(folder, 'upright.mp4'), 'gray', 202 * 360),
  ]
  expect(cropped).toHaveLength(whole.length)
  for (const [frame, x] of [
    [0, from!],
    [whole.length - 1, to!],
  ] as const) {
    const apart = (offset: number) => {
      let sum = 0
      for (let y = 0; y < 360; y += 3) for (let i = 0; i < 202; i += 3) sum += Math.abs(whole[frame]![y * 640 + i + offset]! - cropped[frame]![y * 202 + i]!)
      return sum
    }
    expect(apart(x), `frame ${frame} at ${x}`).toBeLessThan(apart(x < 200 ? x + 60 : x - 60) / 3)
  }
})

/** Starts the service on a port of its own choice, with temporary files in a folder of its own. */
async function service(name: string): Promise<{ child: ChildProcess; port: number; folder: string; said: () => string }> {
  const folder = userFolder(name)
  const child = spawn(process.execPath, [installExample(folder, 'upload-service.ts')], { cwd: folder, env: { ...process.env, PORT: '0', TMPDIR: folder } })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more: string) => (text += more))
  await vi.waitFor(() => expect(text).toMatch(/listening/), { timeout: 60_000 })
  return { child, port: Number(/"port":(\d+)/.exec(text)![1]), folder, said: () => text }
}

/** Children of a process, by what they are. */
async function childrenOf(pid: number): Promise<string[]> {
  const found: string[] = []
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '')
    if (status.includes(`\nPPid:\t${pid}\n`)) found.push(/^Name:\t(.*)/.exec(status)![1]!)
  }
  return found
}

test('upload-service.ts answers with focal points, tells what is wrong, and stops for a client that leaves', async () => {
  const { child, port, folder, said } = await service('service')
  try {
    await spotVideo(join(folder, 'spot.mp4'), 40)
    const answer = await fetch(`http://localhost:${port}/?stride=10`, { method: 'POST', body: readFileSync(join(folder, 'spot.mp4')) })
    expect(answer.status).toBe(200)
    const { frames } = (await answer.json()) as { frames: { frame: number; time: number; focus: { x: number; y: number }; confidence: number }[] }
    expect(frames.map(({ frame, time }) => [frame, time])).toEqual([
      [0, 0],
      [10, 0.4],
      [20, 0.8],
    ])
    for (const { focus, confidence } of frames) {
      for (const value of [focus.x, focus.y, confidence]) expect(value > 0 && value < 1, JSON.stringify(frames)).toBe(true)
    }
    const bad = await fetch(`http://localhost:${port}/`, { method: 'POST', body: 'no video' })
    expect([bad.status, ((await bad.json()) as { code: string }).code]).toEqual([400, 'ERR_DIFFSAL_MEDIA'])

    const leaving = request({ port, path: '/?stride=1', method: 'POST' }).on('error', () => undefined)
    leaving.end(readFileSync('examples/speaker.mp4'))
    await vi.waitFor(async () => expect(await childrenOf(child.pid!)).toContain('ffmpeg'), { timeout: 20_000 })
    leaving.destroy()
    await vi.waitFor(() => expect(said()).toContain('the client left'), { timeout: 20_000 })
    await vi.waitFor(async () => expect(await childrenOf(child.pid!)).toEqual([]), { timeout: 10_000 })
    expect(readdirSync(folder).filter((name) => name.startsWith('.diffsal-'))).toEqual([])
    // The model is free for the next.
    expect((await fetch(`http://localhost:${port}/?stride=25`, { method: 'POST', body: readFileSync(join(folder, 'spot.mp4')) })).status).toBe(200)
  } finally {
    child.kill()
  }
}, 180_000)

test('live-camera.ts tells where to look in what a source gives, until it ends', async () => {
  const folder = userFolder('live')
  const program = installExample(folder, 'live-camera.ts')
  const source = ['-f', 'lavfi', '-i', 'testsrc2=d=2', '-f', 'lavfi', '-i', 'sine=d=2']
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...source], { cwd: folder, timeout: 120_000 })
  expect(stderr).toBe('')
  const seen = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { frame: number; time: number; focus: { x: number; y: number }; dropped: number })
  expect(seen.at(-1)).toMatchObject({ frame: 19, time: 1.9 })
  // Every frame has its map, or was left out.
  expect(seen.length + seen.at(-1)!.dropped).toBe(20)
  for (const [i, { frame, time, focus }] of seen.entries()) {
    expect(time).toBe(frame / 10)
    expect(frame).toBeGreaterThan(seen[i - 1]?.frame ?? -1)
    for (const value of [focus.x, focus.y]) expect(value > 0 && value < 1).toBe(true)
  }
}, 180_000)

test('worker-pool.ts predicts more files than it has workers, and goes on past one that is none', async () => {
  const folder = userFolder('pool')
  for (const name of ['a.mp4', 'b.mp4', 'c.mp4']) await spotVideo(join(folder, name), 20)
  const program = installExample(folder, 'worker-pool.ts')
  const files = ['a.mp4', 'missing.mp4', 'b.mp4', 'c.mp4']
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...files], {
    cwd: folder,
    env: { ...process.env, WORKERS: '2' },
    timeout: 120_000,
  })
  expect(stderr).toBe('')
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { file: string; focus?: { time: number; x: number }[]; error?: string })
  expect(results.map(({ file }) => file).sort()).toEqual([...files].sort())
  for (const { file, focus, error } of results) {
    if (file === 'missing.mp4') expect(error).toMatch(/DiffSalError: .*missing\.mp4/)
    else expect(focus).toMatchObject([{ time: 0 }])
  }
  // The same video has the same map in each worker.
  const places = results.flatMap(({ focus }) => (focus ? [focus[0]!.x] : []))
  expect(new Set(places).size).toBe(1)
}, 180_000)
