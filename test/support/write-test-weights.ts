import { open } from 'node:fs/promises'
import { headerBytes } from '../../lib/checkpoint/safetensors.ts'
import { DiffSal, type PartialDiffSalConfig } from '../../lib/index.ts'
import { testValue } from './test-values.ts'

/** Writes a weights file for `config` that holds the test value of every parameter and buffer, or that of the name that `named` gives for it. */
export async function writeTestWeights(path: string, config: PartialDiffSalConfig, named = (name: string) => name): Promise<void> {
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
}
