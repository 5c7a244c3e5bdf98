import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'

/** Writes a file and the folders above it. */
export async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}

/** Writes a picture of one colour, coded as the path's extension says. */
export async function writePicture(path: string, rgb: readonly [number, number, number], height = 12, width = 16): Promise<void> {
  const picture = sharp({ create: { width, height, channels: 3, background: { r: rgb[0], g: rgb[1], b: rgb[2] } } })
  await write(path, await (/\.jpe?g$/i.test(path) ? picture.jpeg({ quality: 100 }) : picture.png()).toBuffer())
}

/** The colour of frame k: its red is 10 · k. */
export function colourOf(frame: number): [number, number, number] {
  return [10 * (frame % 25), 5, 200]
}

/** A grey map that is `level` in the rectangle that starts at (top, left) and goes to the lower right corner, and 0 elsewhere. */
export async function writeMap(path: string, level: number, { height = 12, width = 16, top = 0, left = 0 } = {}): Promise<void> {
  const data = Uint8Array.from({ length: height * width }, (_, i) => (Math.floor(i / width) >= top && i % width >= left ? level : 0))
  const picture = sharp(data, { raw: { height, width, channels: 1 } }).toColourspace('b-w')
  await write(path, await (/\.jpe?g$/i.test(path) ? picture.jpeg({ quality: 100 }) : picture.png()).toBuffer())
}

/** A chunk of a MAT-file or a `.wav`, little-endian unless `big`. */
export function numbers(kind: 'i8' | 'u8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64', values: readonly number[], big = false): Buffer {
  const bytes = { i8: 1, u8: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, f64: 8 }[kind]
  const buffer = Buffer.alloc(values.length * bytes)
  const view = new DataView(buffer.buffer, buffer.byteOffset)
  const put = {
    i8: view.setInt8,
    u8: view.setUint8,
    u16: view.setUint16,
    i16: view.setInt16,
    u32: view.setUint32,
    i32: view.setInt32,
    f32: view.setFloat32,
    f64: view.setFloat64,
  }[kind]
  values.forEach((value, i) => put.call(view, i * bytes, value, !big))
  return buffer
}

/** A data element: tag, data, padding. */
export function element(type: number, data: Buffer, big = false): Buffer {
  return Buffer.concat([numbers('u32', [type, data.length], big), data, Buffer.alloc((8 - (data.length % 8)) % 8)])
}

/** A data element of at most four bytes, in its short form. */
export function smallElement(type: number, data: Buffer): Buffer {
  return Buffer.concat([numbers('u16', [type, data.length]), data, Buffer.alloc(4 - data.length)])
}

/** A matrix's element: class, shape, name, and the elements of its data. */
export function matrix(name: string, shape: readonly number[], kind: number, data: readonly Buffer[], big = false): Buffer {
  const head = [element(6, numbers('u32', [kind, 0], big), big), element(5, numbers('i32', shape, big), big), element(1, Buffer.from(name), big)]
  return element(14, Buffer.concat([...head, ...data]), big)
}

/** A MAT-file of version 5. */
export function matFile(matrices: readonly Buffer[], { compress = false, big = false } = {}): Buffer {
  const text = Buffer.from('MATLAB 5.0 MAT-file, Platform: GLNXA64'.padEnd(124), 'latin1')
  const elements = compress ? matrices.map((one) => compressed(deflateSync(one))) : matrices
  return Buffer.concat([text, numbers('u16', [0x0100], big), Buffer.from(big ? 'MI' : 'IM'), ...elements])
}

function compressed(data: Buffer): Buffer {
  return Buffer.concat([numbers('u32', [15, data.length]), data])
}

/** A `fixMap` as the sets have it: uint8 `eyeMap`, compressed, 1 at each [row, column]. */
export function fixationMat(height: number, width: number, points: readonly (readonly [number, number])[]): Buffer {
  const data = Buffer.alloc(height * width)
  for (const [y, x] of points) data[x * height + y] = 1
  return matFile([matrix('eyeMap', [height, width], 9, [element(2, data)])], { compress: true })
}

/** A `.wav` of whole channels: header, chunks before the data if any, and the data. */
export function wavFile(
  channels: number,
  sampleRate: number,
  bits: number,
  data: Buffer,
  { kind = 1, before = Buffer.alloc(0), length = data.length, extensible = false } = {},
): Buffer {
  const align = (channels * bits) / 8
  const layout = Buffer.concat([
    numbers('u16', [extensible ? 0xfffe : kind, channels]),
    numbers('u32', [sampleRate, sampleRate * align]),
    numbers('u16', [align, bits]),
    extensible ? Buffer.concat([numbers('u16', [22, bits]), numbers('u32', [0]), numbers('u16', [kind]), Buffer.alloc(14)]) : Buffer.alloc(0),
  ])
  const chunks = [chunk('fmt ', layout), before, Buffer.from('data'), numbers('u32', [length]), data]
  const body = Buffer.concat([Buffer.from('WAVE'), ...chunks])
  return Buffer.concat([Buffer.from('RIFF'), numbers('u32', [body.length]), body])
}

/** A chunk of a `.wav`. */
export function chunk(name: string, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from(name), numbers('u32', [data.length]), data, Buffer.alloc(data.length % 2)])
}

/** How to make {@link audioVisualTree}. */
export interface AudioVisualTree {
  set?: string
  videos?: Record<
    string,
    {
      frames: number
      fps?: string
      sound?: Buffer | null
      skipFrames?: number[]
      skipMaps?: number[]
      blackMaps?: number[]
      noMaps?: boolean
    }
  >
  /** The text of the list; by default a line a video, without a last newline. */
  list?: string
  listName?: string
}

/** Which frames a clip (T, H, W, 3) is of, by the red of {@link colourOf}, of at most 25. */
export function framesOf(clip: { shape: readonly number[]; data: Uint8Array }): number[] {
  const bytes = clip.shape.slice(1).reduce((product, size) => product * size, 1)
  return Array.from({ length: clip.shape[0]! }, (_, t) => Math.round(clip.data[t * bytes]! / 10))
}

/** The samples of a test sound at `rate`: sample i is i / 10⁵, so that it tells where it is from. */
export function rampWav(seconds: number, rate = 8000): Buffer {
  return wavFile(
    1,
    rate,
    32,
    numbers(
      'f32',
      Array.from({ length: seconds * rate }, (_, i) => i / 1e5),
    ),
    { kind: 3 },
  )
}

/**
 * Makes a tree of one audio-visual set. Frame k is of {@link colourOf} k; its map is 255 from row 6 on; it has one fixation,
 * (2, k mod 16).
 */
export async function audioVisualTree(root: string, { set = 'AVAD', videos = { V1: { frames: 20 } }, list, listName }: AudioVisualTree = {}): Promise<void> {
  const lines = Object.entries(videos).map(([name, { frames, fps = '25' }]) => `${name} ${frames} ${fps}`)
  await write(join(root, 'fold_lists', listName ?? `${set}_list_train_1_fps.txt`), list ?? lines.join('\n'))
  for (const [name, { frames, sound, skipFrames = [], skipMaps = [], blackMaps = [], noMaps = false }] of Object.entries(videos)) {
    if (sound !== null) await write(join(root, 'video_audio', set, name, `${name}.wav`), sound ?? rampWav(frames / 25))
    for (let number = 1; number <= frames; number++) {
      const padded = String(number).padStart(5, '0')
      const annotation = join(root, 'annotations', set, name)
      if (!skipFrames.includes(number)) await writePicture(join(root, 'video_frames', set, name, `img_${padded}.jpg`), colourOf(number - 1))
      if (!skipMaps.includes(number) && !noMaps)
        await writeMap(join(annotation, 'maps', `eyeMap_${padded}.jpg`), blackMaps.includes(number) ? 0 : 255, { top: 6 })
      await write(join(annotation, `fixMap_${padded}.mat`), fixationMat(12, 16, [[2, (number - 1) % 16]]))
    }
  }
}
