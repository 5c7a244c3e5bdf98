import { invalidArgumentText } from '../errors.ts'
import { inputFile, readFfmpeg, type FfmpegOptions } from './ffmpeg-process.ts'
import type { AudioStream } from './media-info.ts'
import type { ReportedStream } from './report.ts'

/** Which of several tracks of a kind to take, counted from 1 as they lie in the file. Default: the one that the file marks, else the first. */
export interface TrackChoice {
  readonly videoTrack?: number | undefined
  readonly audioTrack?: number | undefined
}

/** The moving pictures among a file's streams: neither covers nor previews. */
export function videoTracks(streams: readonly ReportedStream[]): ReportedStream[] {
  return streams.filter(({ kind, isPicture }) => kind === 'Video' && !isPicture)
}

/** The sound among a file's streams. */
export function audioTracks(streams: readonly ReportedStream[]): ReportedStream[] {
  return streams.filter(({ kind }) => kind === 'Audio')
}

/**
 * The video track to take. Where none is named and there are several, one of a single picture is passed over.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where the file has fewer
 */
export async function chooseVideo(
  { path, file, far }: { readonly path: string; readonly file: string; readonly far: boolean },
  tracks: readonly ReportedStream[],
  wanted: number | undefined,
  options: FfmpegOptions,
): Promise<ReportedStream | undefined> {
  if (wanted !== undefined) return numbered('videoTrack', path, tracks, wanted)
  const first = defaultOf(tracks)
  if (tracks.length < 2) return first
  const counts = await countPackets(inputFile(file, far), tracks, options)
  return [first!, ...tracks].find(({ index }) => counts.get(index)! > 1) ?? first
}

/**
 * The sound track to take, of those that ffmpeg can decode: where none is named, of the programme that the video belongs to.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where the file has fewer, or cannot be decoded
 */
export function chooseAudio(
  path: string,
  tracks: readonly ReportedStream[],
  wanted: number | undefined,
  video: ReportedStream | undefined,
): AudioStream | null {
  if (wanted !== undefined) {
    const track = numbered('audioTrack', path, tracks, wanted)
    const stream = audioStream(track, wanted)
    if (stream === null) throw invalidArgumentText('audioTrack', 'a track that ffmpeg can decode', `${wanted} (${track.text}) of '${path}'`)
    return stream
  }
  const usable = tracks.filter((track) => audioStream(track, 1) !== null)
  const beside = usable.filter(({ programmes }) => programmes.some((one) => video?.programmes.includes(one)))
  const track = defaultOf(beside.length > 0 ? beside : usable)
  return track ? audioStream(track, tracks.indexOf(track) + 1) : null
}

function defaultOf(tracks: readonly ReportedStream[]): ReportedStream | undefined {
  return tracks.find(({ isDefault }) => isDefault) ?? tracks[0]
}

function numbered(argument: 'videoTrack' | 'audioTrack', path: string, tracks: readonly ReportedStream[], wanted: number): ReportedStream {
  const track = tracks[wanted - 1]
  if (track !== undefined) return track
  const kind = argument === 'videoTrack' ? 'video' : 'sound'
  const there = tracks.map(({ text }, i) => `${i + 1}: ${text.split(', ').slice(0, 3).join(', ')}`).join('; ')
  const has = tracks.length === 0 ? `has no ${kind} track` : `has ${tracks.length} (${there})`
  throw invalidArgumentText(argument, `the number of one of the file's ${kind} tracks, from 1`, `${wanted} for '${path}', which ${has}`)
}

/** How many packets, up to two, each track has in the first half minute. */
async function countPackets(input: readonly string[], tracks: readonly ReportedStream[], { signal, stallLimit }: FfmpegOptions): Promise<Map<number, number>> {
  const counts = new Map<number, number>()
  for (const { index } of tracks) {
    const taken = ['-map', `0:${index}`, '-c', 'copy', '-copyinkf', '-frames:v', '2']
    let stamps = ''
    const args = ['-loglevel', 'quiet', '-t', '30', ...input, ...taken, '-f', 'framecrc', 'pipe:1']
    for await (const chunk of readFfmpeg(args, signal, { stallLimit })) stamps += chunk.toString('latin1')
    counts.set(index, stamps.split('\n').filter((line) => /^\d/.test(line)).length)
  }
  return counts
}

/** Whether ffmpeg has found of a stream what it needs to decode it. */
export function isKnown(stream: ReportedStream): boolean {
  return stream.kind === 'Audio' ? audioStream(stream, 1) !== null : !/, none\b/.test(stream.text) && /, \d+x\d+/.test(stream.text)
}

/** `aac (LC) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp, 95 kb/s`. Null for a stream that ffmpeg knows no parameters of. */
function audioStream({ index, text }: ReportedStream, track: number): AudioStream | null {
  const match = /^(\w+).*?, (\d+) Hz, ([^,]+)/.exec(text)
  if (!match || match[1] === 'none' || Number(match[2]) === 0) return null
  const layout = match[3]!.trim()
  const channels = channelCount(layout)
  return { index, track, codec: match[1]!, sampleRate: Number(match[2]), layout, ...(channels !== undefined && { channels }) }
}

function channelCount(layout: string): number | undefined {
  const named: Record<string, number> = { mono: 1, stereo: 2, downmix: 2, quad: 4, hexagonal: 6, octagonal: 8, cube: 8, hexadecagonal: 16 }
  const name = layout.replace(/\(.*/, '').trim()
  if (named[name] !== undefined) return named[name]
  const counted = /^(\d+) channels/.exec(layout)
  if (counted) return Number(counted[1])
  if (/^\d+(\.\d+)+$/.test(name)) return name.split('.').reduce((sum, part) => sum + Number(part), 0)
  return undefined
}
