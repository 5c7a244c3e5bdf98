// What quality regions bring: videos are encoded by x264 at one bitrate, with and without them, and the error is weighted by where people looked.
// Each video has a table of fixations beside it: clip.mp4, clip.csv.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { datasets, DiffSal, qualityFilter } from '../lib/index.ts'
import { findFfmpeg } from '../lib/media/ffmpeg.ts'
import { readFfmpeg } from '../lib/media/ffmpeg-process.ts'
import { firstFrameTime } from '../lib/media/first-frame-time.ts'
import { probe } from '../lib/media/probe.ts'
import { rationalValue } from '../lib/media/rational.ts'

const { values, positionals } = parseArgs({
  options: {
    bitrate: { type: 'string', default: '150' },
    strength: { type: 'string', default: '0.1' },
    stride: { type: 'string', default: '8' },
    weights: { type: 'string' },
  },
  allowPositionals: true,
})
const { path: program } = await findFfmpeg()
const folder = await mkdtemp(join(tmpdir(), 'diffsal-roi-'))
const model = await DiffSal.load(values.weights)

/** Two passes at the bitrate; gives the bytes. */
async function encode(input: string, output: string, filters: readonly string[]): Promise<number> {
  for (const pass of ['1', '2']) {
    const rate = ['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', `${values.bitrate}k`, '-pass', pass, '-passlogfile', join(folder, 'pass'), '-an']
    await promisify(execFile)(program, [
      '-nostdin',
      '-loglevel',
      'error',
      '-y',
      '-i',
      input,
      ...filters,
      ...rate,
      ...(pass === '1' ? ['-f', 'null', '-'] : [output]),
    ])
  }
  return (await stat(output)).size
}

/** Every fifth frame's brightness. */
async function* greys(path: string, bytes: number): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0)
  for await (const chunk of readFfmpeg([
    '-loglevel',
    'error',
    '-i',
    path,
    '-vf',
    'select=not(mod(n\\,5)),format=gray',
    '-vsync',
    'passthrough',
    '-f',
    'rawvideo',
    'pipe:1',
  ])) {
    rest = Buffer.concat([rest, chunk])
    for (; rest.length >= bytes; rest = rest.subarray(bytes)) yield rest.subarray(0, bytes)
  }
}

/** PSNR in dB over the frames, each error weighted by the density of fixations; and unweighted. */
async function psnr(
  path: string,
  original: string,
  weightsOf: (frame: number) => Float32Array | undefined,
  bytes: number,
): Promise<[weighted: number, plain: number]> {
  let [weighted, weight, plain, count, frame] = [0, 0, 0, 0, 0]
  const coded = greys(path, bytes)
  for await (const truth of greys(original, bytes)) {
    const { value } = (await coded.next()) as { value: Buffer }
    const weights = weightsOf(frame)
    for (let i = 0; i < bytes; i++) {
      const error = (value[i]! - truth[i]!) ** 2
      plain += error
      count += 1
      if (weights) [weighted, weight] = [weighted + weights[i]! * error, weight + weights[i]!]
    }
    frame += 5
  }
  await coded.return(undefined)
  return [10 * Math.log10(255 ** 2 / (weighted / weight)), 10 * Math.log10(255 ** 2 / (plain / count))]
}

console.log('| clip | bytes without, with | PSNR where people looked, without → with | PSNR of the whole frame, without → with |\n| --- | --- | --- | --- |')
try {
  for (const clip of positionals) {
    const info = await probe(clip)
    const { video } = info
    const begin = await firstFrameTime({ ...info, video: video! })
    const { width, height, rate } = video!
    const regions = await model.qualityRegions(clip, { stride: Number(values.stride), strength: Number(values.strength), steps: 1, seed: 1, videoOnly: true })
    const graph = join(folder, 'graph.txt')
    await writeFile(graph, qualityFilter(regions))
    const gaze = await datasets.readGaze(clip.replace(/\.[^.]*$/, '.csv'), { rate: rationalValue(rate) })
    const weightsOf = (frame: number): Float32Array | undefined => {
      const points = gaze.at(1000 * (begin + (frame + 0.5) / rationalValue(rate)))
      return points.length === 0 ? undefined : datasets.densityOfPoints(points, [height, width], 1 / 40).data
    }
    const outputs = [join(folder, 'plain.mp4'), join(folder, 'roi.mp4')] as const
    const bytes = [await encode(clip, outputs[0], []), await encode(clip, outputs[1], ['-filter_complex_script', graph, '-map', '[v]'])]
    const [plain, roi] = [await psnr(outputs[0], clip, weightsOf, width * height), await psnr(outputs[1], clip, weightsOf, width * height)]
    const pair = (at: 0 | 1): string => `${plain[at].toFixed(2)} → ${roi[at].toFixed(2)} dB`
    console.log(`| ${clip.split('/').at(-1)} | ${bytes.join(', ')} | ${pair(0)} | ${pair(1)} |`)
  }
} finally {
  await model.dispose()
  await rm(folder, { recursive: true, force: true })
}
