import { stat } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { DiffSalError, invalidArgument, invalidArgumentText } from '../errors.ts'
import { createMapVideo } from '../media/map-video.ts'
import { NpyWriter } from '../media/npy.ts'
import type { MapWriter } from '../media/output-file.ts'
import { createOverlay } from '../media/overlay.ts'
import { PngWriter } from '../media/png.ts'
import type { MediaInfo } from '../media/probe.ts'
import { checkVideoPath } from '../media/video-file.ts'
import { mapRate } from '../predict-video.ts'

/** One thing to write. */
export interface PlannedOutput {
  readonly kind: 'overlay' | 'map-video' | 'png' | 'npy'
  readonly path: string
}

/** What the user asked to be written. */
export interface OutputOptions {
  readonly output?: string
  readonly maps?: string
  readonly overlay?: true
}

/** What to write: -o is a video of the maps (with --overlay, over the original), --maps a .npy file or a folder of PNGs. */
export function planOutputs(input: string, { output, maps, overlay }: OutputOptions): PlannedOutput[] {
  const planned: PlannedOutput[] = []
  const name = basename(input, extname(input))
  const path = output ?? (overlay || maps === undefined ? `${name}-${overlay ? 'overlay' : 'saliency'}.mp4` : undefined)
  if (path !== undefined) {
    checkVideoPath('-o', path)
    planned.push({ kind: overlay ? 'overlay' : 'map-video', path })
  }
  if (maps === '') throw invalidArgument('--maps', 'a folder, or a file that ends in .npy', maps)
  if (path !== undefined && maps !== undefined && resolve(path) === resolve(maps)) {
    throw invalidArgumentText('--maps', `another path than -o's`, `'${maps}'`)
  }
  if (maps !== undefined) planned.push({ kind: extname(maps).toLowerCase() === '.npy' ? 'npy' : 'png', path: maps })
  return planned
}

/** Refuses outputs that would replace one of the files to be read. */
export async function checkNotInputs(outputs: readonly PlannedOutput[], inputs: readonly string[]): Promise<void> {
  for (const { path } of outputs) {
    const target = await stat(path).catch(() => undefined)
    for (const input of inputs) {
      const source = await stat(input).catch(() => undefined)
      if (target && source && target.dev === source.dev && target.ino === source.ino) {
        throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `The output '${path}' is the input '${input}' itself: choose another name.`, {
          argument: path,
        })
      }
    }
  }
}

/** All outputs of a command as one writer. */
export async function openOutputs(
  outputs: readonly PlannedOutput[],
  info: MediaInfo,
  mapSize: readonly [number, number],
  signal: AbortSignal,
): Promise<MapWriter> {
  const writers: MapWriter[] = []
  // The last made goes first: it may be in a folder that an earlier one made.
  const discard = async (): Promise<void> => {
    for (const writer of writers.toReversed()) await writer.discard()
  }
  try {
    for (const { kind, path } of outputs) writers.push(await openOutput(kind, path, info, mapSize, signal))
  } catch (error) {
    await discard()
    throw error
  }
  return {
    async write(frame, map) {
      for (const writer of writers) await writer.write(frame, map)
    },
    async finish(frames) {
      for (const writer of writers) await writer.finish(frames)
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

function openOutput(
  kind: PlannedOutput['kind'],
  path: string,
  info: MediaInfo,
  mapSize: readonly [number, number],
  signal: AbortSignal,
): Promise<MapWriter> {
  const { video } = info
  switch (kind) {
    case 'overlay':
      return createOverlay(path, info, mapSize, signal)
    case 'map-video':
      return createMapVideo(path, info, mapSize, mapRate(info), signal)
    case 'png':
      return PngWriter.create(path, mapSize, video ? [video.height, video.width] : mapSize)
    case 'npy':
      return NpyWriter.create(path, mapSize)
  }
}
