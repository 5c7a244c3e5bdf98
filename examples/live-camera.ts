// A camera and a microphone, as they come: where to look, a line a map, until the camera ends or Ctrl-C.
// In a program of yours, import from 'diffsal'. Run it with: npx tsx examples/live-camera.ts
// Other sources are ffmpeg's inputs, a picture and a sound: npx tsx examples/live-camera.ts -re -f lavfi -i testsrc2 -re -f lavfi -i sine
import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { DiffSal, maps } from '../lib/index.ts'

const given = process.argv.slice(2)
const source = given.length > 0 ? given : ['-f', 'v4l2', '-i', '/dev/video0', '-f', 'alsa', '-i', 'default']
const [fps, sampleRate] = [10, 16_000]

const model = await DiffSal.load()
const [height, width] = model.config.size
// One frame after its own instead of two, of which the delay of gaze leaves no more at this rate: a map comes 0.1 s sooner. What the processor has no time for is left out.
const stream = model.stream({ fps, sampleRate, lookahead: 1, drop: 'oldest', steps: 1, seed: 1 })

const picture = ['-map', '0:v', '-vf', `fps=${fps},scale=${width}:${height}`, '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1']
const sound = ['-map', '1:a', '-ac', '1', '-ar', String(sampleRate), '-f', 'f32le', 'pipe:3']
const ffmpeg = process.env.DIFFSAL_FFMPEG ?? 'ffmpeg'
const camera = spawn(ffmpeg, ['-loglevel', 'error', ...source, ...picture, ...sound], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })

/** Bytes in pieces of one length. */
async function* pieces(bytes: Readable, length: number): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0)
  for await (const chunk of bytes) {
    for (rest = Buffer.concat([rest, chunk as Buffer]); rest.length >= length; rest = rest.subarray(length)) yield rest.subarray(0, length)
  }
}
const see = async () => {
  for await (const data of pieces(camera.stdout!, height * width * 3)) await stream.pushFrame({ dtype: 'uint8', shape: [height, width, 3], data })
}
const hear = async () => {
  for await (const piece of pieces(camera.stdio[3] as Readable, 4 * 800)) await stream.pushAudio(new Float32Array(Uint8Array.from(piece).buffer))
}
const whole = Promise.all([see(), hear()]).then(() => stream.end())
whole.catch((error: Error) => console.error(error.message))

for await (const { frame, time, tensor } of stream) console.log(JSON.stringify({ frame, time, focus: maps.focalPoint(tensor), dropped: stream.dropped }))
await model.dispose()
