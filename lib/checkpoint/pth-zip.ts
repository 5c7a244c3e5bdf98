import { maxPickleBytes, unpickle } from './pickle.ts'
import type { PthContent, StoredBytes } from './pth-content.ts'
import { type StorageReference, storageOf, torchGlobal } from './torch-globals.ts'
import { damaged, shown, unusable, type WeightsFile } from './weights-file.ts'
import { ZipArchive } from './zip-archive.ts'

/** Reads the pickle of a file in the zip format of `torch.save`: `<name>/data.pkl` beside `<name>/data/<key>`. */
export async function readZip(file: WeightsFile): Promise<PthContent> {
  const { path } = file
  const archive = await ZipArchive.open(file)
  const pickles = [...archive.entries.values()].filter(({ name }) => /^[^/]+\/data\.pkl$/.test(name))
  const [pickle] = pickles
  if (pickle === undefined || pickles.length > 1) {
    throw damaged(path, 'it is a zip but no file of torch.save', "one record '<name>/data.pkl'", `${pickles.length} of them`)
  }
  const folder = pickle.name.slice(0, -'data.pkl'.length)
  if (archive.entries.has(`${folder}constants.pkl`)) {
    throw unusable(path, 'it is a TorchScript program', 'a state dict', 'code', 'Save the tensors: torch.save(model.state_dict(), path).')
  }
  const order = archive.entries.get(`${folder}byteorder`)
  if (order !== undefined && (await archive.read(order, 16)).toString('latin1') !== 'little') {
    throw unusable(path, 'its numbers are big-endian', 'little-endian ones', 'others', 'Save it on a machine with an x86 or ARM processor.')
  }
  const { value } = unpickle(await archive.read(pickle, maxPickleBytes), { global: torchGlobal, persistent: storageOf })

  const located = new Map<string, StoredBytes>()
  const locate = async ({ key, element, count }: StorageReference): Promise<StoredBytes> => {
    const name = `${folder}data/${key}`
    const entry = archive.entries.get(name)
    if (entry === undefined) throw damaged(path, `its record '${shown(name)}' is missing`, 'a record for each storage', 'none')
    if (entry.size !== count * element.bytes) {
      throw damaged(path, `its record '${shown(name)}' is of another size than its storage`, `${count} × ${element.bytes} bytes`, `${entry.size}`)
    }
    let bytes = located.get(key)
    if (bytes === undefined) located.set(key, (bytes = await archive.locate(entry)))
    return bytes
  }
  return { value, locate, finish: () => archive.checkOverlap() }
}
