import type { Colour } from './colour.ts'
import type { Rational } from './rational.ts'

/** The video track that is read. */
export interface VideoStream {
  /** ffmpeg's number of the stream in the file. */
  readonly index: number
  /** ffmpeg's name of the codec: `h264`. */
  readonly codec: string
  /** Pixels, as shown: after the rotation that the file asks for. */
  readonly width: number
  readonly height: number
  /** By how many degrees the file asks to turn it, if it does: counter-clockwise. NaN for a mere mirroring. */
  readonly turn?: number
  /** Width of one pixel over its height, when the file says so. */
  readonly pixelAspect?: Rational
  /** Whether frames are made of fields. */
  readonly interlaced: boolean
  readonly colour: Colour
  /** The decoder to read it with, where that is not ffmpeg's own. */
  readonly decoder?: string
  /** Frames a second on the average: exact for a usual constant rate, 30000/1001 and not 29.97. Every frame has a time of its own besides. */
  readonly rate: Rational
  /** Seconds of a tick, in which the frames' times are whole numbers. */
  readonly timeBase: Rational
  /** About how many frames, from the duration. */
  readonly frameEstimate?: number
}

/** The sound track that is read. */
export interface AudioStream {
  /** ffmpeg's number of the stream in the file. */
  readonly index: number
  /** Its number among the file's sound tracks, from 1. */
  readonly track: number
  /** ffmpeg's name of the codec: `aac`. */
  readonly codec: string
  /** Samples a second. */
  readonly sampleRate: number
  /** ffmpeg's name of the channel layout: `stereo`, `5.1(side)`, `10 channels`. */
  readonly layout: string
  /** How many channels, where the layout tells. */
  readonly channels?: number
}

/**
 * What is read of a media file, and how: everything that reads it goes by this plan. Time 0 is where the first of the chosen streams
 * begins. Each process of ffmpeg must have both of them open to agree on it ({@link openedWith}).
 */
export interface MediaInfo {
  /** The path that was probed; of what was no file, what messages call it. */
  readonly path: string
  /** The temporary file that holds it, where it was no file. */
  readonly spooled?: string
  /** Whether one of its streams begins so late that ffmpeg must be told to look further for it. */
  readonly far?: true
  /** ffmpeg's names of the format: `matroska,webm`. */
  readonly format: string
  /** Seconds, where the container tells. */
  readonly duration?: number
  readonly video: VideoStream | null
  readonly audio: AudioStream | null
  /** How many sound tracks the file has. */
  readonly audioTracks: number
}

/** A plan of which the video is read. */
export type VideoInfo = MediaInfo & { readonly video: VideoStream }

/** A plan of which the sound is read. */
export type SoundInfo = MediaInfo & { readonly audio: AudioStream }
