import { callback, integer, readOptions, signal, yes, type OptionTable } from './checks/table.ts'
import { checkString } from './checks/options.ts'
import { DiffSalError, invalidArgumentText } from './errors.ts'
import { sameFile } from './files/same-file.ts'
import { writeCroppedVideo } from './media/cropped-video.ts'
import type { MediaInfo } from './media/media-info.ts'
import { withMedia, withVideo } from './media/open-media.ts'
import { checkVideoPath } from './media/video-file.ts'
import { kindOfInput, type VideoInput } from './media/video-input.ts'
import { inputTable, spanOf } from './predict-video.ts'
import { checkReframing } from './reframe.ts'
import { filterScript } from './reframe/filter-script.ts'
import type { Reframing } from './reframe/reframing.ts'

/** How to write a reframed video. */
export interface CropVideoOptions {
  /** Write the whole picture with the window drawn, and what is outside of it dark. Default false: the window alone. */
  preview?: boolean | undefined
  /** Which video track, from 1, of a file with several; the same as for `reframe`. Default: the one that the file marks, else the first with more than one picture. */
  videoTrack?: number | undefined
  /** Whose sound goes along: of several tracks the n-th, from 1. Default: the one that the file marks, else the first. */
  audioTrack?: number | undefined
  /** Seconds without a byte from ffmpeg, an address or a stream, while one is waited for, after which the input is given up. Default 60. */
  stallLimit?: number | undefined
  /** Whether `http:` and `https:` addresses are read; else they are refused. Default true. */
  network?: boolean | undefined
  /** The most bytes of an address, of bytes or of a stream that are written to a temporary file. Default 4294967296, 4 GiB. */
  spoolLimit?: number | undefined
  /** Stops the writing; nothing is left of the output. */
  signal?: AbortSignal | undefined
  /** Called after every frame, with how many are written of how many. */
  onProgress?: ((progress: { frames: number; of: number }) => void) | undefined
}

/** What there is to know of {@link CropVideoOptions}. */
const table = {
  preview: yes({ usual: false }),
  videoTrack: integer(1),
  audioTrack: integer(1),
  ...inputTable(),
  signal,
  onProgress: callback(),
} satisfies OptionTable<CropVideoOptions>

/**
 * Writes what is in the window of a {@link Reframing} as a video, with the sound of the original. The sound is copied where the file can hold
 * it as it is. Between pixels the picture is interpolated, so that a slow window glides. Pixels keep their form (the sample aspect
 * ratio), rotation is applied, HDR is tone-mapped. Of a part of the video (`start` and `end` of what `reframe` gave) that part is written, with its own sound.
 *
 * @param input - the video that was reframed; of a stream, which is read once, its bytes again
 * @param reframing - what `reframe` gave, or data of that form: it says which part of the video is written, so that there is no such option
 * @param output - .mp4, .mov or .mkv; a file of that name is replaced when all is written
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT (a window that leaves the frame, places for another number of frames, an output that is the
 * input), ERR_DIFFSAL_FILE, ERR_DIFFSAL_MEDIA, ERR_DIFFSAL_NO_SPACE, ERR_DIFFSAL_FFMPEG_MISSING
 */
export async function cropVideo(input: VideoInput, reframing: Reframing, output: string, options?: CropVideoOptions): Promise<void> {
  const given = readOptions<CropVideoOptions, typeof table>('options', options, table)
  const checked = checkReframing('reframing', reframing)
  checkVideoPath('output', checkString('output', output))
  const found = kindOfInput(input)
  given.signal?.throwIfAborted()
  if (found.kind === 'file') await checkOutput(found.path, output)
  await withMedia(input, given, (info) => cropMedia(info, checked, output, given))
}

/** Refuses an output that is the input, by whatever name. */
async function checkOutput(path: string, output: string): Promise<void> {
  if (await sameFile(path, output)) {
    throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `The output '${output}' is the input '${path}' itself: choose another name.`, { argument: 'output' })
  }
}

/** As {@link cropVideo}, of an input that was opened already. */
export async function cropMedia(info: MediaInfo, { size, window, frames, ...part }: Reframing, output: string, options: CropVideoOptions = {}): Promise<void> {
  const { onProgress, preview, signal, stallLimit } = options
  const { video, ...rest } = withVideo(info, 'of which a window could be cut')
  if (video.height !== size[0] || video.width !== size[1]) {
    throw invalidArgumentText('reframing.size', `[${video.height}, ${video.width}], as '${info.path}' has it`, `[${size.join(', ')}]`)
  }
  const onFrame = onProgress && ((count: number): void => onProgress({ frames: count, of: frames.length }))
  await writeCroppedVideo(output, { ...rest, video }, window, frames, { first: frames[0]!.frame, span: spanOf(part), preview, signal, stallLimit, onFrame })
}

/**
 * The window of a {@link Reframing} as a filter script for ffmpeg, which moves it by whole pixels (and by two where colours have half the size):
 * `ffmpeg -i clip.mp4 -filter_script:v FILE -c:a copy upright.mp4`. Of a part from 2 to 4 s it is a script for that part:
 * `ffmpeg -ss 2 -to 4 -i clip.mp4 -filter_script:v FILE part.mp4`. It reads no video: the reframing has all that it needs.
 *
 * @param reframing - what `reframe` gave, or data of that form
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function cropFilter(reframing: Reframing): string {
  return filterScript(checkReframing('reframing', reframing))
}
