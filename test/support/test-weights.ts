import { open } from 'node:fs/promises'
import { headerBytes } from '../../lib/checkpoint/safetensors.ts'
import { DiffSal, type PartialDiffSalConfig } from '../../lib/index.ts'
import { temporaryPath } from './temporary.ts'
import { testValue } from './test-values.ts'

const made = new Map<string, Promise<string>>()

/**
 * The path of a weights file for `config` that holds the test value of every parameter and buffer, its configuration in
 * the metadata. `named` gives the name whose value a parameter has. It is written once a test file, and removed when that ends.
 */
export function testWeights(config: PartialDiffSalConfig, named = (name: string) => name): Promise<string> {
  const key = JSON.stringify(config)
  let path = made.get(key)
  if (path === undefined) made.set(key, (path = write(config, named, temporaryPath(`weights-${made.size}.safetensors`))))
  return path
}

async function write(config: PartialDiffSalConfig, named: (name: string) => string, path: string): Promise<string> {
  const model = await DiffSal.create(config, { seed: 0 })
  const parameters = model.parameters()
  await model.dispose()
  const file = await open(path, 'w')
  try {
    const tensors = new Map(parameters.map(({ name, shape }) => [name, { dtype: 'F32', shape } as const]))
    await file.writeFile(headerBytes(tensors, { diffsal: JSON.stringify(config) }))
    for (const { name, shape } of parameters) await file.writeFile(new Uint8Array(testValue(named(name), shape).buffer))
  } finally {
    await file.close()
  }
  return path
}
