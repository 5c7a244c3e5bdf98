import { mediaError } from './local-file.ts'
import type { MediaInfo, VideoInfo } from './media-info.ts'
import { openInput, type OpenInputOptions } from './open-input.ts'
import { probe } from './probe.ts'
import type { TrackChoice } from './tracks.ts'

/** How a video is opened, and which of its tracks are read. */
export type OpenMediaOptions = OpenInputOptions & TrackChoice

/** An input of any kind that was looked into. Leaving it removes the temporary file, where there is one. */
export interface OpenedMedia extends AsyncDisposable {
  readonly info: MediaInfo
}

/**
 * Opens a path, an address, bytes or a stream, and looks what is in it: the door of all that reads a video.
 *
 * @throws DiffSalError what `openInput` and `probe` throw
 */
export async function openMedia(input: unknown, options: OpenMediaOptions): Promise<OpenedMedia> {
  const { videoTrack, audioTrack, stallLimit, signal } = options
  const { path, name, close } = await openInput(input, options)
  try {
    return { info: await probe(path, { name, videoTrack, audioTrack, stallLimit, signal }), [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Opens an input for some work, and closes it however that ends. */
export async function withMedia<T>(input: unknown, options: OpenMediaOptions, work: (info: MediaInfo) => Promise<T>): Promise<T> {
  await using opened = await openMedia(input, options)
  return await work(opened.info)
}

/** A plan that has a video. @throws DiffSalError ERR_DIFFSAL_MEDIA; `what` is wanted of it */
export function withVideo(info: MediaInfo, what: string): VideoInfo {
  const { video } = info
  if (video === null) throw mediaError(info.path, `has no video stream, ${what}`)
  return { ...info, video }
}
