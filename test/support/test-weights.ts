import type { PartialDiffSalConfig } from '../../lib/index.ts'
import { temporaryPath } from './temporary.ts'
import { writeTestWeights } from './write-test-weights.ts'

const made = new Map<string, Promise<string>>()

/**
 * The path of a weights file for `config` that holds the test value of every parameter and buffer, its configuration in
 * the metadata. `named` gives the name whose value a parameter has. It is written once a test file, and removed when that ends.
 */
export function testWeights(config: PartialDiffSalConfig, named?: (name: string) => string): Promise<string> {
  const key = JSON.stringify(config)
  let written = made.get(key)
  if (written === undefined) {
    const path = temporaryPath(`weights-${made.size}.safetensors`)
    written = writeTestWeights(path, config, named).then(() => path)
    made.set(key, written)
  }
  return written
}
