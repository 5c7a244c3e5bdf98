import { PickleError, PickleTruncated } from './pickle-bytes.ts'
import { typeOf } from './pickle-values.ts'
import { maxPickleBytes, unpickle } from './pickle.ts'
import type { PthContent, StoredBytes } from './pth-content.ts'
import { type StorageReference, storageOf, torchGlobal } from './torch-globals.ts'
import { bytesOf, damaged, shown, type WeightsFile } from './weights-file.ts'

const magic = 0x1950a86a20f9469cfc6cn
const formatVersion = 1001
const firstWindow = 256 * 1024

/**
 * Whether a file begins with a pickle: of protocol 2 to 5, or of protocol 1 with the magic number. (A safetensors file may begin
 * with the same two bytes, but its header with a brace.)
 */
export function isLegacy(head: Buffer): boolean {
  return (head[0] === 0x80 && head[1]! <= 5 && head[8] !== '{'.charCodeAt(0)) || head.toString('latin1').startsWith(`L${magic}`.slice(0, 16))
}

/**
 * Reads the pickles of a file in the format of `torch.save` before 1.6, or of its `_use_new_zipfile_serialization=False`: a magic
 * number, a version, facts about the machine, the object, and the keys of its storages, each a pickle; then the storages in
 * the order of the keys, each after its number of elements.
 */
export async function readLegacy(file: WeightsFile): Promise<PthContent> {
  const storages = new Map<string, StorageReference>()
  const { value, keys, end } = await readPickles(file, storages)
  const places = await findStorages(file, storages, keys, end)
  const locate = async ({ key }: StorageReference): Promise<StoredBytes> => {
    const place = places.get(key)
    if (place === undefined) throw damaged(file.path, `its storage '${shown(key)}' is missing`, 'each storage in its list of keys', 'none')
    return place
  }
  return { value, locate, finish: () => {} }
}

/** Nothing says how long the pickles are, so they are read from ever longer beginnings of the file. */
async function readPickles(file: WeightsFile, storages: Map<string, StorageReference>) {
  for (let window = firstWindow; ; window *= 4) {
    const whole = Math.min(file.size, maxPickleBytes)
    const bytes = await file.read(0, Math.min(window, whole))
    storages.clear()
    try {
      return parse(bytes, storages)
    } catch (error) {
      if (!(error instanceof PickleTruncated) || bytes.length === whole) throw error
    }
  }
}

function parse(bytes: Buffer, storages: Map<string, StorageReference>): { value: unknown; keys: string[]; end: number } {
  const persistent = (id: unknown): StorageReference => {
    const storage = storageOf(id)
    const before = storages.get(storage.key)
    if (before === undefined) storages.set(storage.key, storage)
    else if (before.element.bytes !== storage.element.bytes || before.count !== storage.count) {
      throw new PickleError(`its storage '${shown(storage.key)}' is of two types or sizes`, 'one', 'two')
    }
    return storage
  }
  const hooks = { global: torchGlobal, persistent }
  const number = unpickle(bytes, hooks)
  if (number.value !== magic) throw new PickleError('it is a pickle but not of torch.save', 'the magic number of torch.save', typeOf(number.value))
  const version = unpickle(bytes, hooks, number.end)
  if (version.value !== formatVersion) throw new PickleError('its format is of another version', `${formatVersion}`, String(version.value).slice(0, 40))
  const machine = unpickle(bytes, hooks, version.end)
  const object = unpickle(bytes, hooks, machine.end)
  const list = unpickle(bytes, hooks, object.end)
  const keys = list.value
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
    throw new PickleError('its list of storages is damaged', 'a list of keys', typeOf(keys))
  }
  return { value: object.value, keys, end: list.end }
}

async function findStorages(
  { path, size, read }: WeightsFile,
  storages: ReadonlyMap<string, StorageReference>,
  keys: readonly string[],
  start: number,
): Promise<Map<string, StoredBytes>> {
  const places = new Map<string, StoredBytes>()
  let position = start
  for (const key of keys) {
    const storage = storages.get(key)
    if (storage === undefined || places.has(key)) {
      throw damaged(
        path,
        `its list of storages has '${shown(key)}' ${storage === undefined ? 'which no tensor is in' : 'twice'}`,
        'each storage once',
        'another list',
      )
    }
    const truncated = (wanted: number) => damaged(path, `it is truncated in its storage '${shown(key)}'`, bytesOf(wanted), bytesOf(size))
    if (position + 8 > size) throw truncated(position + 8)
    const count = (await read(position, 8)).readBigUInt64LE()
    if (count !== BigInt(storage.count)) throw damaged(path, `its storage '${shown(key)}' is of another size`, `${storage.count} elements`, `${count}`)
    const begin = position + 8
    position = begin + storage.count * storage.element.bytes
    if (position > size) throw truncated(position)
    places.set(key, { begin, end: position })
  }
  return places
}
