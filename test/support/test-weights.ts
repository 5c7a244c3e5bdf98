import { createHash } from 'node:crypto'
import type { PartialDiffSalConfig } from '../../lib/index.ts'
import { onceARunAsync } from './once-a-run.ts'
import { writeTestWeights } from './write-test-weights.ts'

/**
 * The path of a weights file for `config` that holds the test value of every parameter and buffer, its configuration in
 * the metadata. It is written once a run: nobody may change it.
 */
export function testWeights(config: PartialDiffSalConfig): Promise<string> {
  const key = createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 16)
  return onceARunAsync(`weights-${key}.safetensors`, (path) => writeTestWeights(path, config))
}
