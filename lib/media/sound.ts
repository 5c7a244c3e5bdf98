import { log } from '../log.ts'
import { SampleCleaner } from './bad-samples.ts'
import { complaints } from './complaints.ts'
import { FfmpegProcess, lastWords, type FfmpegEnd } from './ffmpeg-process.ts'
import { mediaError } from './local-file.ts'
import type { AudioStream, SoundInfo } from './media-info.ts'
import { openedInput, openedWith, type ReadOptions } from './opened.ts'
import { SoundClock } from './sound-clock.ts'
import { stampOutput, Stamps } from './stamps.ts'

/** Samples a second of what a model hears. */
export const soundRate = 16_000

/** Nothing above this is silence: 80 dB below full scale, as codecs do not give exact zeros. */
const inaudible = 1e-4

/** What {@link readSound} may be told. */
export interface ReadSoundOptions extends ReadOptions {
  /** Samples a second. Default {@link soundRate}. */
  readonly rate?: number
}

/**
 * The sound of a file as one channel, in chunks of no fixed length. Sample 0 is at the plan's time 0; gaps are silence. Stereo is averaged;
 * more channels are mixed with the usual weights, scaled so that they sum to one.
 *
 * A file that breaks off gives the sound before the break, and a warning. So do samples that are no numbers, for which silence is given, and a
 * track that is silent throughout while there are others.
 *
 * @throws DiffSalError ERR_DIFFSAL_MEDIA when the sound cannot be decoded at all, or ffmpeg stalls.
 */
export async function* readSound(info: SoundInfo, options: ReadSoundOptions = {}): AsyncGenerator<Float32Array, void, undefined> {
  const { rate = soundRate, signal, stallLimit } = options
  const child = await FfmpegProcess.start(soundArguments(info, rate), { signal, stallLimit, output: true, extra: 1 })
  const stamps = new Stamps(child, 3)
  const clock = new SoundClock(rate)
  const cleaner = new SampleCleaner()
  let heard = false
  const clean = function* (samples: Float32Array): Generator<Float32Array, void, undefined> {
    heard ||= samples.some((value) => Math.abs(value) > inaudible)
    if (samples.length > 0) yield samples
  }
  try {
    for await (const piece of pieces(child.chunks(), stamps)) {
      signal?.throwIfAborted()
      for (const part of clock.push(piece)) yield* clean(cleaner.push(part))
    }
    const end = await child.end()
    signal?.throwIfAborted()
    for (const part of clock.end()) yield* clean(cleaner.push(part))
    yield* clean(cleaner.end())
    report(info, { ...end, log: complaints(end.log, info, 'audio') }, clock.position, rate)
    if (cleaner.first !== undefined) {
      const time = (cleaner.first / rate).toFixed(2)
      log('warn', `The sound of '${info.path}' has values that are no sound (NaN, infinite or enormous), the first at ${time} s: silence is heard there.`)
    }
    if (!heard && info.audioTracks > 1) {
      log(
        'warn',
        `Sound track ${info.audio.track} of '${info.path}' is silent throughout; of its ${info.audioTracks} tracks another can be chosen by the audioTrack option (--audio-track).`,
      )
    }
  } finally {
    await child.kill()
  }
}

function report(info: SoundInfo, end: FfmpegEnd, samples: number, rate: number): void {
  const { path, video } = info
  const second = (samples / rate).toFixed(2)
  if (end.stalled !== undefined) {
    throw mediaError(
      path,
      `has sound that could not be decoded to its end: after ${second} s of it ffmpeg gave nothing for ${end.stalled} s and was ended; look whether its disk answers, or allow more time by the stallLimit option (--stall-limit)`,
    )
  }
  if (end.killedBy !== null) throw mediaError(path, `has sound that could not be decoded to its end: ffmpeg was ended by ${end.killedBy}`)
  if (end.code === 0 && end.log.trim() === '') return
  if (samples === 0 && end.code !== 0) {
    const remedy = video ? '; use the videoOnly option (--video-only) to go without it' : ''
    throw mediaError(path, `has sound that cannot be decoded: ffmpeg says "${lastWords(end)}"${remedy}`)
  }
  log('warn', `The sound of '${path}' may be damaged or cut off (what is missing is silence; it ends at ${second} s): ffmpeg said "${lastWords(end)}".`)
}

/** Sound and the sample that it begins with, or NaN. */
interface Piece {
  readonly samples: Float32Array
  readonly start: number
}

/** Cuts the stream of numbers into the pieces that the stamps tell of. */
async function* pieces(chunks: AsyncIterable<Buffer>, stamps: Stamps): AsyncGenerator<Piece, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  let piece: { start: number; left: number } | undefined
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 4) {
      if (piece === undefined) {
        const stamp = await stamps.next()
        piece = { start: stamp?.ticks ?? Number.NaN, left: stamp?.size ?? rest.length - (rest.length % 4) }
      }
      const bytes = Math.min(piece.left, rest.length - (rest.length % 4))
      const samples = new Float32Array(bytes / 4)
      new Uint8Array(samples.buffer).set(rest.subarray(0, bytes))
      yield { samples, start: piece.start }
      rest = rest.subarray(bytes)
      piece = piece.left === bytes ? undefined : { start: piece.start + bytes / 4, left: piece.left - bytes }
    }
  }
}

/** ffmpeg's options for the sound as 32-bit floats, the times of its pieces in samples, and the picture that keeps the clock. */
function soundArguments(info: SoundInfo, rate: number): string[] {
  const { audio } = info
  return [
    ...['-loglevel', 'error', ...openedInput(info)],
    ...['-filter_complex', `[0:${audio.index}]${[...monoFilters(audio, rate), 'asplit[times][samples]'].join(',')}`],
    // The times first: they must be out when the samples, which are waited for, fill their pipe.
    ...['-map', '[times]', '-c:a', 'pcm_f32le', ...stampOutput(3)],
    ...['-map', '[samples]', '-c:a', 'pcm_f32le', '-f', 'f32le', 'pipe:1'],
    ...openedWith(info, 'video'),
  ]
}

/**
 * One channel at a rate. Nothing here depends on what was before, so that ffmpeg may make the filters anew where channels or rate change in
 * mid-stream. `rematrix_maxval=1` scales a mix to sum to one: without it, ffmpeg mixes floats louder than either side.
 */
function monoFilters({ layout }: AudioStream, rate: number): string[] {
  // Channels without a layout have no weights: ffmpeg refuses to mix them, so they are averaged by hand.
  const counted = /^(\d+) channels/.exec(layout)
  const channels = Number(counted?.[1] ?? 0)
  const average = counted ? [`pan=mono|c0=${Array.from({ length: channels }, (_, c) => `${1 / channels}*c${c}`).join('+')}`] : []
  return [...average, `aresample=${rate}:rematrix_maxval=1`, 'aformat=sample_fmts=flt:channel_layouts=mono']
}
