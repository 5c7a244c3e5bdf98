import { readdir } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { checkString } from '../checks/options.ts'
import { DiffSalError, fileError } from '../errors.ts'
import { stemOf } from '../gaze/video-name.ts'
import { openNpy } from '../media/read-npy.ts'
import type { MapTensor } from '../metrics/metrics.ts'
import { readGrey } from './pictures.ts'

/** A map, and which one. */
export interface PlacedMap {
  /** The number that it is called by, else 0, 1, 2, …. */
  readonly place: number
  /** (H, W): bytes of a picture, or what a .npy holds. */
  readonly map: MapTensor
}

/** The maps of one video. */
export interface VideoMaps {
  /** The file's or folder's name without extension. */
  readonly name: string
  /** How many there are. */
  readonly count: number
  /** Whether each is called by its frame's number; else they are in order. */
  readonly numbered: boolean
  /** Reads them, one after the other. */
  maps(): AsyncGenerator<PlacedMap>
}

const numbered = /^0*(\d{1,9})\.png$/i

/**
 * Maps of videos: `FILE.npy` of one, a folder of numbered PNGs of one (`000000.png`, as `diffsal predict --maps` writes them), or a folder of
 * such files and folders, each called as its video.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE where nothing of that is there, ERR_DIFFSAL_MEDIA for a picture that does not decode; ERR_DIFFSAL_INVALID_ARGUMENT
 */
export async function openMaps(path: string): Promise<VideoMaps[]> {
  checkString('path', path)
  if (extname(path).toLowerCase() === '.npy') return [await npyMaps(path)]
  const entries = await readdir(path, { withFileTypes: true }).catch((cause: unknown) => {
    throw fileError('read', path, cause)
  })
  if (entries.some(({ name }) => numbered.test(name)))
    return [
      pngMaps(
        path,
        entries.map(({ name }) => name),
      ),
    ]
  const found: VideoMaps[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = join(path, entry.name)
    if (extname(entry.name).toLowerCase() === '.npy') found.push(await npyMaps(inner))
    else if (entry.isDirectory()) {
      const names = await readdir(inner)
      if (names.some((name) => numbered.test(name))) found.push(pngMaps(inner, names))
    }
  }
  const twice = found.find(({ name }, i) => found.findIndex((one) => one.name === name) !== i)
  if (twice) throw new DiffSalError('ERR_DIFFSAL_FILE', `'${path}' has maps of '${twice.name}' twice, as .npy and as pictures.`, { argument: path })
  if (found.length > 0) return found
  throw new DiffSalError(
    'ERR_DIFFSAL_FILE',
    `'${path}' holds no maps: NAME.npy or NAME/000000.png, called as their videos, or numbered pictures of one video.`,
    { argument: path },
  )
}

async function npyMaps(path: string): Promise<VideoMaps> {
  const file = await openNpy(path)
  return {
    name: stemOf(path),
    count: file.count,
    numbered: false,
    async *maps() {
      let place = 0
      for await (const map of file.maps()) yield { place: place++, map }
    },
  }
}

function pngMaps(folder: string, names: readonly string[]): VideoMaps {
  const files = names
    .filter((name) => numbered.test(name))
    .map((name) => ({ name, place: Number(numbered.exec(name)![1]) }))
    .sort((a, b) => a.place - b.place)
  return {
    name: basename(folder),
    count: files.length,
    numbered: true,
    async *maps() {
      for (const { name, place } of files) {
        const { height, width, data } = await readGrey(join(folder, name))
        yield { place, map: { dtype: 'uint8', shape: [height, width], data } }
      }
    },
  }
}
