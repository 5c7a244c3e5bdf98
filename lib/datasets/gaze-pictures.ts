import { extname, join, parse } from 'node:path'
import { shortened } from '../errors.ts'
import { reportFault, type Faults } from '../files/faults.ts'
import { readPictureFixations } from '../gaze/picture-fixations.ts'
import type { GazePoint } from '../gaze/points.ts'
import type { FoundSource, GazeSource } from './gaze-source.ts'
import { pictureExtensions } from './numbered-folder.ts'
import { readGrey, readPictureSize, readRgb } from './pictures.ts'

/** The file beside pictures that holds their fixations. */
const fixationsFile = 'fixations.json'

/**
 * The pictures of a folder: those that its `fixations.json` names, or pairs of a picture and its density map, `0001.jpg` and `0001.png`.
 *
 * @param title what the pictures' names begin with
 * @param names the folder's files, sorted
 * @throws DiffSalError ERR_DIFFSAL_FILE where the list of fixations cannot be used and, where faults are errors, for a picture that is missing
 */
export async function findGazePictures(title: string, folder: string, names: readonly string[], plan: Faults): Promise<FoundSource[]> {
  if (!names.includes(fixationsFile)) return pairs(title, folder, names).map((source) => ({ name: source.name, open: async () => source }))
  const there = new Set(names)
  const fixations = await readPictureFixations(join(folder, fixationsFile), plan)
  const missing = [...fixations.keys()].filter((name) => !there.has(name))
  if (missing.length > 0) {
    const [first] = missing
    const which = missing.length > 1 ? `, one of ${missing.length} pictures of '${fixationsFile}' that are missing` : ''
    reportFault(plan, `'${shortened(first!)}' is not in '${folder}'${which}`, missing.length > 1 ? 'they are left out' : 'it is left out', first!)
  }
  return [...fixations.keys()].sort().map((file) => {
    const name = `${title}/${file}`
    return { name, open: async () => (there.has(file) ? picture(name, join(folder, file), fixations.get(file)) : undefined) }
  })
}

function pairs(title: string, folder: string, names: readonly string[]): GazeSource[] {
  const maps = new Map(names.filter((name) => extname(name).toLowerCase() === '.png').map((name) => [parse(name).name, name]))
  return names
    .filter((name) => isPicture(name) && maps.has(parse(name).name) && maps.get(parse(name).name) !== name)
    .map((name) => picture(`${title}/${name}`, join(folder, name), undefined, join(folder, maps.get(parse(name).name)!)))
}

function isPicture(name: string): boolean {
  return (pictureExtensions as readonly string[]).includes(extname(name).slice(1).toLowerCase())
}

function picture(name: string, path: string, points: readonly GazePoint[] | undefined, map?: string): GazeSource {
  return {
    name,
    count: 1,
    rate: undefined,
    begin: 0,
    size: () => readPictureSize(path),
    async read(frames, size) {
      const plane = { height: size[0], width: size[1], channels: 3, data: await readRgb(path, size) }
      return frames.map(() => plane)
    },
    points: () => points,
    viewers: () => [...new Set(points?.map(({ viewer }) => viewer))].sort(),
    map: (_, size) => (map === undefined ? undefined : readGrey(map, size).then((grey) => ({ ...grey, channels: 1 }))),
    sound: undefined,
  }
}
