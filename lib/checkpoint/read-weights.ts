import type { NativeEntry, NativeModel, NativePart } from '../addon/native.ts'
import { checkList, checkString, orUsual } from '../checks/options.ts'
import { mergeConfigs, resolveConfig, type DiffSalConfig, type PartialDiffSalConfig } from '../config.ts'
import { DiffSalError, invalidArgument, invalidArgumentText } from '../errors.ts'
import { parseJson } from '../files/json.ts'
import { log } from '../log.ts'
import { drawSeed } from '../random/seed.ts'
import { trainingPrefix } from '../training/checkpoint.ts'
import { readCheckpoint, type Checkpoint } from './checkpoint.ts'
import { recognise } from './names.ts'
import type { CheckpointTensor } from './pth.ts'

/** What a weights file makes: the configuration, and where the addon finds the tensors. */
export interface Weights {
  readonly config: DiffSalConfig
  readonly from: Parameters<NativeModel['build']>[2]
  /** The tensors under this network's names. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>
  /** Names in the file that nothing reads. */
  readonly unused: readonly string[]
  /** `safetensors` or `pth`. */
  readonly format: string
}

/**
 * Reads what a weights file holds, but not the tensors' data: its configuration is the one in its metadata, else what its
 * names and shapes tell, else the paper's; `given` goes before all of them.
 *
 * @param verify looks at the data, where they will be used
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_CHECKPOINT, ERR_DIFFSAL_INVALID_ARGUMENT
 */
export async function readWeights(
  path: string,
  given: PartialDiffSalConfig | undefined,
  verify: (checkpoint: Checkpoint) => Promise<void> = () => Promise.resolve(),
): Promise<Weights> {
  const checkpoint = await readCheckpoint(path)
  await verify(checkpoint)
  const { metadata, tensors, identity, format } = checkpoint
  const network = (config: DiffSalConfig, ours: ReadonlyMap<string, CheckpointTensor>, unused: readonly string[]): Weights => ({
    config,
    from: { path, identity, entries: entriesOf(ours) },
    tensors: ours,
    unused,
    format,
  })
  if (metadata.diffsal !== undefined) {
    // A training checkpoint is a weights file with more in it.
    const weights = new Map([...tensors].filter(([name]) => !name.startsWith(trainingPrefix)))
    return network(resolveConfig(given, storedConfig(path, metadata.diffsal)), weights, [])
  }
  const found = recognise(path, tensors)
  const config = recognisedConfig(path, found.config, given)
  if (found.part === 'network') return network(config, found.tensors, found.unused)
  log('warn', `'${path}' holds ${found.title} alone: the rest of the network has initial weights.`)
  const part = { path, identity, entries: entriesOf(found.tensors), prefix: found.prefix, initial: found.initial }
  return { config, from: { seed: drawSeed(), parts: [part] }, tensors: found.tensors, unused: found.unused, format }
}

/** Reads what files of encoders by themselves hold, and what they tell of the configuration. */
export async function readPretrained(pretrained: string | readonly string[] | undefined): Promise<{ found: PartialDiffSalConfig; parts: NativePart[] }> {
  const given = typeof pretrained === 'string' ? [pretrained] : checkList('pretrained', orUsual(pretrained, []), 'a path or an array of paths')
  const files = given.map((path, i) => checkString(typeof pretrained === 'string' ? 'pretrained' : `pretrained[${i}]`, path))
  const encoders = await Promise.all(files.map(readEncoder))
  if (new Set(encoders.map(({ part }) => part.prefix)).size < encoders.length) throw invalidArgument('pretrained', 'one file an encoder', files)
  const found = encoders.reduce<PartialDiffSalConfig>((merged, { config }) => mergeConfigs(merged, config), {})
  return { found, parts: encoders.map(({ part }) => part) }
}

async function readEncoder(path: string): Promise<{ config: PartialDiffSalConfig; part: NativePart }> {
  const { tensors, identity } = await readCheckpoint(path)
  const found = recognise(path, tensors)
  if (found.part === 'network') {
    throw invalidArgumentText('pretrained', 'the file of an encoder by itself', `'${path}', which holds a whole network,`)
  }
  return { config: found.config, part: { path, identity, entries: entriesOf(found.tensors), prefix: found.prefix, initial: found.initial } }
}

function entriesOf(tensors: ReadonlyMap<string, CheckpointTensor>): NativeEntry[] {
  return [...tensors].map(([name, tensor]) => ({ name, ...tensor }))
}

/** The configuration that a file's names and shapes tell, but for what is given. */
function recognisedConfig(path: string, found: PartialDiffSalConfig, given: PartialDiffSalConfig = {}): DiffSalConfig {
  try {
    return resolveConfig(mergeConfigs(found, given))
  } catch (cause) {
    const { argument = '', message } = cause as DiffSalError
    const option = /^config\.(\w+)/.exec(argument)?.[1]
    if (option === undefined || Object.hasOwn(given, option)) throw cause
    const remedy = "What they do not tell can be given as 'config'."
    throw new DiffSalError('ERR_DIFFSAL_CHECKPOINT', `The shapes in the weights file '${path}' are of no network: ${message} ${remedy}`, {
      argument: path,
      cause,
    })
  }
}

/** The configuration in a file's metadata. */
function storedConfig(path: string, text: string): DiffSalConfig {
  try {
    const stored = parseJson(text)
    if (typeof stored !== 'object' || stored === null) throw invalidArgument('diffsal', 'an object', stored)
    return resolveConfig(stored)
  } catch (cause) {
    const message = `The weights file '${path}' has a 'diffsal' configuration in its metadata that cannot be used: ${(cause as Error).message}`
    throw new DiffSalError('ERR_DIFFSAL_CHECKPOINT', message, { argument: path, cause })
  }
}
