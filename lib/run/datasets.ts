import { checkChoice, checkNames, checkOptions, checkString } from '../checks/options.ts'
import type { DiffSalConfig } from '../config.ts'
import { audioVisualSets, audioVisualTable, type AudioVisualOptions } from '../datasets/audio-visual.ts'
import { datasetTable, type Split } from '../datasets/dataset-options.ts'
import { checkDataset, concatDatasets, type SaliencyDataset } from '../datasets/dataset.ts'
import { openGaze } from '../datasets/gaze-dataset.ts'
import { gazeTable, type GazeSet } from '../datasets/gaze-options.ts'
import { datasetNames, openDataset, type DatasetName } from '../datasets/open-dataset.ts'
import { soundingScenes, soundingScenesTable } from '../datasets/scenes.ts'
import { invalidArgument } from '../errors.ts'
import { filesMean } from '../files/meaning.ts'

/** A dataset as a run's configuration names it: `{ "dataset": "AVAD", "root": "data", "fold": 1 }`. */
export interface DatasetEntry {
  readonly dataset: string
  readonly root?: string
  readonly [option: string]: unknown
}

/** What decides a sample's form; it is the model's and not the configuration's to say. */
export interface SampleForm {
  readonly size: readonly [number, number]
  readonly clipLength: number
  readonly gazeDelay: number
  /** Whether the loss reads fixations. */
  readonly fixations: boolean
}

/** The form of a model's samples. */
export function sampleForm({ size, clipLength, gazeDelay }: DiffSalConfig, fixations: boolean): SampleForm {
  return { size, clipLength, gazeDelay, fixations }
}

/** How a dataset is opened by its name. */
interface Opener {
  /** Whether it lies on the disk. */
  readonly rooted: boolean
  /** What an entry may say beside `dataset` and `root`. */
  readonly options: readonly string[]
  /** Of these, lists of files. */
  readonly files?: readonly string[]
  open(root: string, options: Record<string, unknown>): Promise<SaliencyDataset>
}

const formOptions: readonly string[] = ['size', 'clipLength', 'gazeDelay', 'fixations'] satisfies (keyof SampleForm)[]
const isOwn = (name: string): boolean => !formOptions.includes(name)
const namesIn = (table: object): string[] => Object.keys(table).filter(isOwn)

/** Every dataset that a configuration can name. */
const openers: ReadonlyMap<string, Opener> = new Map([
  ...datasetNames.map((name: DatasetName): [string, Opener] => [
    name,
    {
      rooted: true,
      options: namesIn((audioVisualSets as readonly string[]).includes(name) ? audioVisualTable : datasetTable(['train'])),
      open: (root, options) => openDataset(name, root, options as AudioVisualOptions),
    },
  ]),
  ['gaze', { rooted: true, options: namesIn(gazeTable), files: ['sounds'], open: (root, options) => openGaze(root, options) }],
  [
    'scenes',
    {
      rooted: false,
      options: namesIn(soundingScenesTable),
      // A scene tells where to look in the picture of the same moment.
      open: async (_, { gazeDelay: __, ...options }) => soundingScenes(options),
    },
  ],
])

/** The datasets' names. */
export const runDatasetNames: readonly string[] = [...openers.keys()]

/** What an entry of a dataset may say. */
export function entryNames(dataset: string): string[] {
  const { rooted, options } = openers.get(dataset)!
  return ['dataset', ...(rooted ? ['root'] : []), ...options]
}

/**
 * Checks what an entry names; its options' values are checked when it is opened.
 *
 * @param resolvePath makes its root absolute
 * @param nameOf what an option is called in messages
 */
export function checkEntry(
  field: string,
  given: unknown,
  resolvePath: (path: string) => string,
  nameOf = (option: string): string => `${field}.${option}`,
): DatasetEntry {
  const entry = checkOptions<Record<string, unknown>>(field, given as Record<string, unknown>, Object.keys(Object(given)))
  const name = checkChoice(nameOf('dataset'), entry.dataset, runDatasetNames)
  checkNames(field, entry, entryNames(name))
  const { dataset: _, root, ...options } = entry
  const { rooted, files = [] } = openers.get(name)!
  for (const file of files) {
    const list = options[file]
    if (Array.isArray(list)) options[file] = list.map((one: unknown, i) => resolvePath(checkString(`${nameOf(file)}[${i}]`, one)))
  }
  return rooted ? { dataset: name, root: resolvePath(checkString(nameOf('root'), root)), ...options } : { dataset: name, ...options }
}

/** A dataset with the words for it in tables: `DIEM, test, fold 1`. */
export interface OpenedDataset {
  readonly title: string
  readonly dataset: SaliencyDataset
  /** The same, where it tells who looked where. */
  readonly gaze?: GazeSet
}

/**
 * Opens datasets.
 *
 * @param split of an entry that names none
 * @param locate gives the errors of entry `i` their place
 */
export async function openEntries(
  entries: readonly DatasetEntry[],
  split: Split,
  form: SampleForm,
  locate: <T>(i: number, work: () => T) => T,
): Promise<OpenedDataset[]> {
  const opened: OpenedDataset[] = []
  for (const [i, { dataset: name, root = '', ...given }] of entries.entries()) {
    const opener = openers.get(name)!
    const options: Record<string, unknown> = { ...given, ...form }
    if (opener.options.includes('split')) options.split ??= split
    const dataset = await locate(i, async () => checkDataset('options', await filesMean('input', () => opener.open(root, options))))
    opened.push({ title: titleOf(name, options), dataset: readingErrors(dataset), ...(isGazeSet(dataset) && { gaze: dataset }) })
  }
  return opened
}

/**
 * Looks that samples of one frame are where they can be used: all that is trained on or nothing of it, for a network that takes such; nothing that is scored.
 *
 * @param takes whether the network does
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, naming the entry's `stills`
 */
export function checkStills({ train, validate, test }: Readonly<Record<'train' | 'validate' | 'test', readonly DatasetEntry[]>>, takes: boolean): void {
  const isStill = ({ stills }: DatasetEntry): boolean => stills === true
  const check = (list: string, entries: readonly DatasetEntry[], wanted: boolean, expected: string): void => {
    const at = entries.findIndex((entry) => isStill(entry) !== wanted)
    if (at >= 0) throw invalidArgument(`${list}[${at}].stills`, expected, entries[at]!.stills)
  }
  if (train.some(isStill)) {
    if (!takes) check('train', train, false, "false, or left out, for a model that is not of the dialect 'paper' with the video encoder 's3d'")
    check('train', train, true, "true in all entries of 'train', or in none")
  }
  check('validate', validate, false, 'false, or left out: a model is scored on clips')
  check('test', test, false, 'false, or left out: a model is scored on clips')
}

/**
 * Several datasets as one; one is itself.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, naming two of `datasets` with a video of the same name
 */
export function joined(opened: readonly OpenedDataset[]): SaliencyDataset {
  return opened.length === 1 ? opened[0]!.dataset : concatDatasets(opened.map(({ dataset }) => dataset))
}

function titleOf(name: string, { split, fold, sound }: Record<string, unknown>): string {
  const heard = sound === undefined || sound === 'right' ? undefined : sound === 'other' ? 'another sound' : String(sound)
  return [name, split, fold === undefined ? undefined : `fold ${String(fold)}`, heard].filter((part) => part !== undefined).join(', ')
}

function isGazeSet(dataset: SaliencyDataset): dataset is GazeSet {
  return 'viewers' in dataset
}

/** The same dataset, whose errors of files are of the input. */
function readingErrors(dataset: SaliencyDataset): SaliencyDataset {
  const { length, numbered } = dataset
  return {
    length,
    ...(numbered && { numbered }),
    get videos() {
      return dataset.videos
    },
    get: (index, epoch) => filesMean('input', () => dataset.get(index, epoch)),
    truth: (video, frame) => filesMean('input', async () => dataset.truth(video, frame)),
  }
}
