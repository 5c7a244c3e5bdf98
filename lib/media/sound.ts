import { log } from '../log.ts'
import { fileUrl, lastWords, readFfmpeg } from './ffmpeg-process.ts'
import { mediaError, type AudioStream, type MediaInfo } from './probe.ts'

/** Samples a second of everything that {@link readSound} gives. */
export const soundRate = 16_000

/**
 * The sound of a file as one channel at {@link soundRate}, in chunks of no fixed length. Sample 0 is at the file's start, which
 * is when the first of its streams begins; gaps are silence. Stereo is averaged; more channels are mixed with the usual
 * weights, scaled so that they sum to one.
 *
 * A file that breaks off gives the sound before the break, and a warning.
 *
 * @throws DiffSalError ERR_DIFFSAL_MEDIA when the sound cannot be decoded at all.
 */
export async function* readSound(
  info: MediaInfo & { readonly audio: AudioStream },
  signal?: AbortSignal,
): AsyncGenerator<Float32Array, void, undefined> {
  const chunks = readFfmpeg(soundArguments(info), signal)
  let rest: Uint8Array = new Uint8Array(0)
  let any = false
  try {
    for (;;) {
      const next = await chunks.next()
      if (next.done) {
        const { value: end } = next
        if (end.killedBy !== null) throw mediaError(info.path, `has sound that could not be decoded to its end: ffmpeg was ended by ${end.killedBy}`)
        if (end.code === 0 && end.log.trim() === '') return
        if (!any && end.code !== 0) {
          const remedy = info.video ? '; use the videoOnly option (--video-only) to go without it' : ''
          throw mediaError(info.path, `has sound that cannot be decoded: ffmpeg says "${lastWords(end)}"${remedy}`)
        }
        log('warn', `The sound of '${info.path}' may be damaged or cut off (what is missing is silence): ffmpeg said "${lastWords(end)}".`)
        return
      }
      any = true
      const bytes = rest.length === 0 ? next.value : Buffer.concat([rest, next.value])
      const whole = bytes.length - (bytes.length % 4)
      const samples = new Float32Array(whole / 4)
      new Uint8Array(samples.buffer).set(bytes.subarray(0, whole))
      rest = bytes.subarray(whole)
      if (samples.length > 0) yield samples
    }
  } finally {
    await chunks.return({ code: null, killedBy: null, log: '' })
  }
}

/**
 * `first_pts=0` with `min_comp=0` pads or trims the start to the very sample, `async=1` fills gaps. `rematrix_maxval=1` scales a
 * mix to sum to one: without it, ffmpeg mixes floats louder than either side.
 */
function soundArguments({ path, audio }: MediaInfo & { readonly audio: AudioStream }): string[] {
  // Channels without a layout have no weights: ffmpeg refuses to mix them, so they are averaged by hand.
  const counted = /^(\d+) channels/.exec(audio.layout)
  const channels = Number(counted?.[1] ?? 0)
  const average = counted ? [`pan=mono|c0=${Array.from({ length: channels }, (_, c) => `${1 / channels}*c${c}`).join('+')}`] : []
  const filters = [
    ...average,
    `aresample=${soundRate}:async=1:min_comp=0:first_pts=0:rematrix_maxval=1`,
    'aformat=sample_fmts=flt:channel_layouts=mono',
  ]
  return [
    ...['-loglevel', 'error', '-i', fileUrl(path), '-map', `0:${audio.index}`, '-vn', '-sn', '-dn'],
    ...['-af', filters.join(','), '-f', 'f32le', 'pipe:1'],
  ]
}
