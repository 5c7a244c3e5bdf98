import { mkdir, readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { DiffSal } from '../../lib/index.ts'
import { writeBytes, writeSafetensors } from '../support/damaged-safetensors.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { damageHeader, rewriteWeights, zeros } from '../support/rewrite-weights.ts'
import { temporaryPath } from '../support/temporary.ts'
import { testWeights } from '../support/test-weights.ts'
import { tinyConfig } from '../support/tiny-config.ts'

const [biasName, weightName] = ['decoder_net.conv_in.bias', 'decoder_net.conv_in.weight']

let weights: string
let bytes: Buffer

beforeAll(async () => {
  weights = await testWeights(tinyConfig)
  bytes = await readFile(weights)
})

const refused = (path: string, ...parts: (string | RegExp)[]) => expectDiffSalError(() => DiffSal.load(path), 'ERR_DIFFSAL_CHECKPOINT', path, ...parts)

describe('DiffSal.load', () => {
  it('takes the files that the others here are made from', async () => {
    const paths = [weights, await rewriteWeights(weights, () => {}), await damageHeader(weights, () => {})]
    for (const path of paths) {
      const model = await DiffSal.load(path)
      await model.dispose()
    }
  })

  it('names a file that is missing, and a directory', async () => {
    await expectDiffSalError(() => DiffSal.load(temporaryPath('absent.safetensors')), 'ERR_DIFFSAL_FILE', 'absent.safetensors', 'does not exist')
    const folder = temporaryPath('folder')
    await mkdir(folder)
    await expectDiffSalError(() => DiffSal.load(folder), 'ERR_DIFFSAL_FILE', folder, 'is a directory')
  })

  it('refuses an empty file and one that is something else', async () => {
    await refused(await writeBytes(new Uint8Array(0)), 'empty')
    await refused(await writeBytes(Buffer.from('<!doctype html><title>404</title>')), 'not a safetensors file')
  })

  it('refuses a truncated file', async () => {
    for (const size of [bytes.length - 1, bytes.length >> 1, 5000, 100, 8, 5]) {
      await refused(await writeBytes(bytes.subarray(0, size)), /truncated|past the file's end|ends inside/)
    }
  })

  it('refuses a file with more at its end', async () => {
    await refused(await writeBytes(Buffer.concat([bytes, Buffer.alloc(3)])), 'last 3 bytes')
  })

  it('refuses a huge header', async () => {
    for (const length of [100_000_001n, 2n ** 40n, 2n ** 64n - 1n]) await refused(await writeSafetensors('{}', 0, length), 'header is too long')
  })

  it('refuses overlapping tensors', async () => {
    const path = await damageHeader(weights, (entries) => {
      const [begin, end] = entries[weightName]!.data_offsets
      entries[weightName]!.data_offsets = [begin - 4, end - 4]
    })
    await refused(path, `'${weightName}'`, 'overlaps')
  })

  it('refuses offsets out of the file', async () => {
    const path = await damageHeader(weights, (entries) => {
      const [begin, end] = entries[weightName]!.data_offsets
      entries[weightName]!.data_offsets = [begin + 2 ** 40, end + 2 ** 40]
    })
    await refused(path, `'${weightName}'`, "past the file's end")
  })

  it('refuses offsets that do not fit the shape', async () => {
    const path = await damageHeader(weights, (entries) => {
      entries[weightName]!.shape = [1, 1]
    })
    await refused(path, `'${weightName}'`, 'do not fit its shape')
  })
})

describe('DiffSal.load, where the file is sound but not for this network', () => {
  it('names a tensor of another shape, with both shapes', async () => {
    const path = await rewriteWeights(weights, (tensors) => tensors.set(weightName, zeros('F32', [16, 2, 3, 3])))
    await refused(path, weightName, '[16, 2, 3, 3]', '[32, 1, 3, 3]')
  })

  it('refuses a shape that differs by dimensions of size 1', async () => {
    const path = await rewriteWeights(weights, (tensors) => tensors.set(biasName, { ...tensors.get(biasName)!, shape: [32, 1] }))
    await refused(path, biasName, '[32, 1]', '[32]')
  })

  it('names each tensor that is missing', async () => {
    const path = await rewriteWeights(weights, (tensors) => {
      tensors.delete(biasName)
      tensors.delete('visual_net.cls_token')
    })
    await refused(path, /missing/, biasName, 'visual_net.cls_token')
  })

  it('names each tensor that is not known', async () => {
    const path = await rewriteWeights(weights, (tensors) => {
      tensors.set('visual_net.blocks.4.norm1.weight', zeros('F32', [4]))
      tensors.set('decoder_net.conv_inn.bias', zeros('F32', [4]))
    })
    await refused(path, 'visual_net.blocks.4.norm1.weight', 'decoder_net.conv_inn.bias')
  })

  it('says all of it at once', async () => {
    const path = await rewriteWeights(weights, (tensors) => {
      tensors.delete(biasName)
      tensors.set('spare.weight', zeros('F32', [4]))
      tensors.set(weightName, zeros('F32', [1]))
    })
    await refused(path, biasName, 'spare.weight', weightName)
  })

  it('does not print a thousand names', async () => {
    const path = await rewriteWeights(weights, (tensors) => tensors.clear())
    const error = await refused(path, /more/)
    expect(error.message.length).toBeLessThan(2000)
  })

  it('names a parameter of a type that no parameter has', async () => {
    const path = await rewriteWeights(weights, (tensors) => tensors.set(weightName, zeros('I32', [32, 1, 3, 3])))
    await refused(path, weightName, 'I32')
  })

  it('refuses a configuration that cannot be read', async () => {
    for (const text of ['{', '[]', '"tiny"', '{"size":[64,97]}', '{"sise":[64,96]}']) {
      const path = await rewriteWeights(
        weights,
        () => {},
        (metadata) => (metadata.diffsal = text),
      )
      await refused(path, 'diffsal')
    }
  })

  it('takes the config option where the file has none', async () => {
    const path = await rewriteWeights(
      weights,
      () => {},
      (metadata) => delete metadata.diffsal,
    )
    await using model = await DiffSal.load(path, { config: tinyConfig })
    expect(model.config.size).toEqual(tinyConfig.size)
    // Shapes tell the rest, but not the size.
    await using other = await DiffSal.load(path)
    expect(other.config).toEqual({ ...model.config, size: [224, 384] })
  })
})
