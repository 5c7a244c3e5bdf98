import { open } from 'node:fs/promises'
import { fileError } from '../errors.ts'
import type { VideoInfo } from '../media/media-info.ts'

/** Where the page has the video from: itself, or an address that is relative to its own. */
export type FilmSource = { readonly inside: string } | { readonly address: string }

/** What browsers are told of a file's format. */
export function mimeOf({ format }: VideoInfo): string {
  if (/\bmp4\b/.test(format)) return 'video/mp4'
  if (/\bwebm\b/.test(format)) return 'video/webm'
  if (/\bogg\b/.test(format)) return 'video/ogg'
  return 'application/octet-stream'
}

/** Why browsers will not show a video, if they will not. */
export function unplayable(info: VideoInfo): string | undefined {
  const { codec } = info.video
  if (!/^(h264|vp8|vp9|av1)$/.test(codec)) return `most browsers do not play its codec, ${codec}`
  return mimeOf(info) === 'application/octet-stream' ? `most browsers do not play its format, ${info.format}` : undefined
}

/** Bytes that are read at once: they end where base64 has no rest. */
const piece = 3 * 2 ** 18

/** A file as base64, in pieces that may be put together. */
export async function* fileAsBase64(path: string, signal?: AbortSignal): AsyncGenerator<string, void, undefined> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw fileError('read', path, cause)
  })
  try {
    const buffer = Buffer.alloc(piece)
    for (let filled = 0; ; ) {
      signal?.throwIfAborted()
      const { bytesRead } = await file.read(buffer, filled, piece - filled)
      filled += bytesRead
      if (bytesRead !== 0 && filled < piece) continue
      if (filled > 0) yield buffer.toString('base64', 0, filled)
      if (bytesRead === 0) return
      filled = 0
    }
  } finally {
    await file.close()
  }
}

/** Bytes as base64, in pieces that may be put together. */
export function* bytesAsBase64(parts: readonly Uint8Array[]): Generator<string, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  for (const part of parts) {
    const whole = Buffer.concat([rest, part])
    const even = whole.length - (whole.length % 3)
    yield whole.toString('base64', 0, even)
    rest = whole.subarray(even)
  }
  yield rest.toString('base64')
}
