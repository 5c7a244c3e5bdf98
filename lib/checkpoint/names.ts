import type { PartialDiffSalConfig } from '../config.ts'
import { configOfShapes } from './config-of-shapes.ts'
import { encoderNamings, type EncoderNaming } from './encoder-names.ts'
import { shown, unusable } from './weights-file.ts'

/** What is known of a tensor by its place in a file. */
export interface Shaped {
  readonly shape: readonly number[]
  readonly strides?: readonly number[]
}

/** What a checkpoint's names and shapes say of it. */
export interface Recognised<T extends Shaped> {
  /** The whole network, or an encoder that was trained by itself. */
  readonly part: 'network' | 'video' | 'audio'
  /** In words: 'DiffSal', "MViTv2 in torchvision's naming". */
  readonly title: string
  /** What the names and shapes tell of the configuration. */
  readonly config: PartialDiffSalConfig
  /** The tensors under this network's names, without those that nothing reads. */
  readonly tensors: ReadonlyMap<string, T>
  /** Names, as they are in the file, of what nothing reads. */
  readonly unused: readonly string[]
  /** Of an encoder: the beginning of its names. */
  readonly prefix: string
  /** Of an encoder: beginnings of names that the file may lack. */
  readonly initial: readonly string[]
}

/** Present in published checkpoints, or counted by PyTorch, and read by nothing. A relative position's index follows from its window. */
const unusedAnywhere = [/(^|\.)num_batches_tracked$/, /\.relative_position_index$/]
const unusedInNetworks = [...unusedAnywhere, /^audio_net\.(embeddings|pproc)\./, /^fc\./]

/**
 * Tells what the tensors of a checkpoint are, and gives them this network's names: those of the published checkpoints, without the
 * `module.` of DistributedDataParallel.
 *
 * @throws DiffSalError ERR_DIFFSAL_CHECKPOINT when the names are of nothing that is known, or two tensors get one name
 */
export function recognise<T extends Shaped>(path: string, tensors: ReadonlyMap<string, T>): Recognised<T> {
  const stripped = rename(path, tensors, (name) => name.replace(/^(module\.)+/, ''))
  return [...stripped.keys()].some((name) => name.startsWith('decoder_net.')) ? network(stripped) : encoder(path, stripped)
}

function network<T extends Shaped>(tensors: ReadonlyMap<string, T>): Recognised<T> {
  const { used, unused } = split(tensors, unusedInNetworks)
  return { part: 'network', title: 'DiffSal', config: configOfShapes(used), tensors: used, unused, prefix: '', initial: [] }
}

function encoder<T extends Shaped>(path: string, given: ReadonlyMap<string, T>): Recognised<T> {
  // As a part of a network, and beside its adapters, where it is called `net`.
  const tensors = rename(path, given, (name) => name.replace(/^(visual_net|audio_net)\./, '').replace(/^net\./, ''))
  const naming = encoderNamings.find(({ signs }) => Object.entries(signs).every(([name, rank]) => tensors.get(name)?.shape.length === rank))
  if (naming === undefined) {
    const names = [...tensors.keys()]
    const received = `${names
      .slice(0, 4)
      .map((name) => `'${shown(name)}'`)
      .join(', ')}${names.length > 4 ? ` and ${names.length - 4} more` : ''}`
    const expected = `those of DiffSal ('decoder_net.…'), or of ${encoderNamings.map(({ title }) => title).join(', ')}`
    throw unusable(path, 'its names are of no network that is known', expected, received, 'Rename its tensors, or fetch another file.')
  }
  const { used, unused } = split(tensors, [...unusedAnywhere, ...naming.unused])
  const renamed = applyRules(path, naming, used)
  const { part, title, initial } = naming
  const prefix = part === 'video' ? 'visual_net.' : 'audio_net.'
  const all = configOfShapes(renamed)
  const config: PartialDiffSalConfig = {
    ...(all.videoEncoder && { videoEncoder: all.videoEncoder }),
    ...(all.audioEncoder && { audioEncoder: all.audioEncoder }),
  }
  return { part, title, config, tensors: renamed, unused, prefix, initial }
}

function applyRules<T extends Shaped>(path: string, { rules, title }: EncoderNaming, tensors: ReadonlyMap<string, T>): Map<string, T> {
  const reshaped = new Map<string, T>()
  for (const [name, tensor] of tensors) {
    const { shape, strides } = tensor
    const token = rules.find(([pattern]) => pattern.test(name))?.[2] === 'token' && shape.length === 1
    reshaped.set(name, token ? { ...tensor, shape: [1, 1, ...shape], ...(strides && { strides: [0, 0, ...strides] }) } : tensor)
  }
  return rename(path, reshaped, (name) => {
    const rule = rules.find(([pattern]) => pattern.test(name))
    if (rule === undefined) throw unusable(path, `tensor '${shown(name)}' is not part of ${title}`, 'its names alone', 'another', 'Remove it from the file.')
    return name.replace(rule[0], rule[1])
  })
}

function rename<T>(path: string, tensors: ReadonlyMap<string, T>, change: (name: string) => string): Map<string, T> {
  const renamed = new Map<string, T>()
  for (const [name, tensor] of tensors) {
    const ours = change(name)
    if (renamed.has(ours)) throw unusable(path, `two of its tensors are '${shown(ours)}'`, 'each once', `also '${shown(name)}'`, 'Remove one of them.')
    renamed.set(ours, tensor)
  }
  return renamed
}

function split<T>(tensors: ReadonlyMap<string, T>, patterns: readonly RegExp[]): { used: Map<string, T>; unused: string[] } {
  const used = new Map<string, T>()
  const unused: string[] = []
  for (const [name, tensor] of tensors) {
    if (patterns.some((pattern) => pattern.test(name))) unused.push(name)
    else used.set(name, tensor)
  }
  return { used, unused }
}
