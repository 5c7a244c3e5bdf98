import { statSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { DiffSalError, fileError, invalidArgument, invalidArgumentText } from '../../errors.ts'
import { withoutLinks } from '../../files/output-place.ts'
import { fileId, inodeOf, same, type FileId } from '../../files/same-file.ts'
import type { MapLook } from '../../maps/paint.ts'
import { createMapVideo } from '../../media/map-video.ts'
import type { MapWriter } from '../../media/map-writer.ts'
import type { MediaInfo } from '../../media/media-info.ts'
import { NpyWriter } from '../../media/npy.ts'
import type { ReadOptions, Span } from '../../media/opened.ts'
import { createOverlay } from '../../media/overlay.ts'
import { pngName, PngWriter } from '../../media/png.ts'
import { checkVideoPath } from '../../media/video-file.ts'
import { mapRate } from '../../predict-video.ts'

/** One thing to write. */
export interface PlannedOutput {
  readonly kind: 'overlay' | 'map-video' | 'png' | 'npy'
  readonly path: string
}

/** Where something is written, and the flag that says so. */
export interface OutputPlan {
  readonly kind: string
  readonly path: string
  readonly flag?: string
}

/** What the user asked to be written. */
export interface OutputOptions {
  readonly output?: string
  readonly maps?: string
  readonly overlay?: true | undefined
  readonly activity?: true | undefined
}

/** What to write, of an input of a name: -o is a video of the maps (with --overlay or --activity, over the original), --maps a .npy file or a folder of PNGs. */
export function planOutputs(name: string, { output, maps, overlay, activity }: OutputOptions): PlannedOutput[] {
  const planned: PlannedOutput[] = []
  const path = output ?? (overlay || maps === undefined ? usualVideo(name, { overlay, activity }) : undefined)
  if (path !== undefined) {
    checkVideoPath('-o', path)
    planned.push({ kind: overlay || activity ? 'overlay' : 'map-video', path })
  }
  if (maps === '') throw invalidArgument('--maps', 'a folder, or a file that ends in .npy', maps)
  if (path !== undefined && maps !== undefined && resolve(path) === resolve(maps)) {
    throw invalidArgumentText('--maps', `another path than -o's`, `'${maps}'`)
  }
  if (maps !== undefined) planned.push({ kind: kindOfMaps(maps), path: maps })
  return planned
}

/** The video to write where none is named. */
function usualVideo(name: string, { overlay, activity }: Pick<OutputOptions, 'overlay' | 'activity'>): string {
  return `${name}-${activity ? 'activity' : overlay ? 'overlay' : 'saliency'}.mp4`
}

/** What to write of one of many videos, whose `name` has its folder before it: as {@link planOutputs} where no name is given, with --maps the word npy or png. */
export function planMany(name: string, { maps, overlay, activity }: OutputOptions): [PlannedOutput, ...PlannedOutput[]] {
  if (maps !== undefined && maps !== 'npy' && maps !== 'png') throw invalidArgument('--maps', 'npy or png, where there are many videos', maps)
  const video: PlannedOutput = { kind: overlay || activity ? 'overlay' : 'map-video', path: usualVideo(name, { overlay, activity }) }
  if (maps === undefined) return [video]
  const values: PlannedOutput = { kind: maps, path: `${name}-maps${maps === 'npy' ? '.npy' : ''}` }
  return overlay ? [video, values] : [values]
}

/** A file of numbers or a folder of pictures. A name that looks like that of another file is asked about, not made a folder. */
function kindOfMaps(path: string): 'npy' | 'png' {
  const ending = extname(path).toLowerCase()
  if (ending === '.npy') return 'npy'
  if (ending === '' || path.endsWith('/') || statSync(path, { throwIfNoEntry: false })?.isDirectory()) return 'png'
  throw invalidArgument('--maps', `a folder, or a file that ends in .npy (write '${path}/' if a folder of this name is meant)`, path)
}

/**
 * Looks at where the outputs will go in truth, whatever their names look like.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for an output that would replace one of the files to be read or another output,
 * ERR_DIFFSAL_FILE for a name that is too long
 */
export async function checkPlaces(outputs: readonly OutputPlan[], inputs: readonly string[]): Promise<void> {
  const taken: { readonly path: string; readonly flag: string; readonly file: FileId }[] = []
  for (const { kind, path, flag = taken.length === 0 ? '-o' : '--maps' } of outputs) {
    const place = withoutLinks(path)
    checkLength(path, kind === 'png' ? join(place, pngName(0)) : place)
    const file = await fileId(place)
    // What the system takes the name for may be another file, where links go before "..".
    const given = await inodeOf(path)
    for (const input of inputs) {
      const source = await fileId(input)
      if (same(file, source) || (given !== undefined && given === source.inode) || (kind === 'png' && (await isPictureIn(file, input)))) {
        throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `The output '${path}' is the input '${input}' itself: choose another name.`, {
          argument: path,
        })
      }
    }
    const other = taken.find((one) => same(file, one.file))
    if (other) throw invalidArgumentText(flag, `another place than ${other.flag}'s, '${other.path}'`, `'${path}'`)
    taken.push({ path, flag, file })
  }
}

/** Whether a file is one of the numbered pictures of a folder. */
async function isPictureIn(folder: FileId, path: string): Promise<boolean> {
  const place = withoutLinks(path)
  return /^\d{6,}\.png$/.test(basename(place)) && same(folder, await fileId(dirname(place)))
}

/** As the system will refuse it, but before all the work: a name of 255 bytes at most, a path of 4095. */
function checkLength(path: string, place: string): void {
  const longest = Math.max(...place.split('/').map((name) => Buffer.byteLength(name)))
  if (longest > 255 || Buffer.byteLength(place) > 4095) throw fileError('write', path, Object.assign(new Error(), { code: 'ENAMETOOLONG' }))
}

/** How outputs are written. */
export interface OutputLook extends ReadOptions {
  /** How the maps are painted. */
  readonly look?: MapLook | undefined
  /** The part of the video that they are of. Default: all. */
  readonly span?: Span | undefined
}

/** All outputs of a command as one writer. */
export async function openOutputs(
  outputs: readonly PlannedOutput[],
  info: MediaInfo,
  mapSize: readonly [number, number],
  options: OutputLook,
): Promise<MapWriter> {
  const writers: MapWriter[] = []
  // The last made goes first: it may be in a folder that an earlier one made.
  const discard = async (): Promise<void> => {
    for (const writer of writers.toReversed()) await writer.discard()
  }
  try {
    for (const { kind, path } of outputs) writers.push(await openOutput(kind, path, info, mapSize, options))
  } catch (error) {
    await discard()
    throw error
  }
  return {
    async write(frame, map, times) {
      for (const writer of writers) await writer.write(frame, map, times)
    },
    async finish(frames, times) {
      for (const writer of writers) await writer.finish(frames, times)
    },
    async commit() {
      for (const [i, writer] of writers.entries()) {
        await writer.commit().catch(async (error: unknown) => {
          for (const done of writers.slice(0, i).toReversed()) await done.revert()
          throw error
        })
      }
    },
    async revert() {
      for (const writer of writers.toReversed()) await writer.revert()
    },
    discard,
  }
}

function openOutput(kind: PlannedOutput['kind'], path: string, info: MediaInfo, mapSize: readonly [number, number], options: OutputLook): Promise<MapWriter> {
  const { video } = info
  const { look } = options
  switch (kind) {
    case 'overlay':
      return createOverlay(path, info, mapSize, options)
    case 'map-video':
      return look?.sideBySide ? createOverlay(path, info, mapSize, { ...options, hiding: true }) : createMapVideo(path, info, mapSize, mapRate(info), options)
    case 'png':
      return PngWriter.create(path, mapSize, video ? [video.height, video.width] : mapSize, look)
    case 'npy':
      return NpyWriter.create(path, mapSize)
  }
}
