// Holds the network cases that are its arguments to their golden values without a test runner, for systems on which none runs, as those that
// scripts/check-arm64 emulates: a line a value, and exit code 1 where one is off.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiffSal, type Tensor } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { configOf, inputsOf, networkCase, readGolden } from '../support/fixtures.ts'
import { writeTestWeights } from '../support/write-test-weights.ts'

const tolerance = 1e-4
const folder = mkdtempSync(join(tmpdir(), 'diffsal-golden-'))
try {
  for (const name of process.argv.slice(2)) await check(name)
} finally {
  rmSync(folder, { recursive: true })
}

async function check(name: string): Promise<void> {
  const network = networkCase(name)
  const { x, conditions } = inputsOf(network)
  const golden = await readGolden(name)
  const weights = join(folder, `${name}.safetensors`)
  await writeTestWeights(weights, configOf(network))
  const model = await DiffSal.load(weights, { device: 'cpu' })
  const features = await model.encode(conditions)
  hold(`${name}: one pass`, await model.denoise(x, network.t, features), golden('denoised'))
  for (const steps of network.steps) hold(`${name}: ${steps} steps`, await model.predict(features, { steps, noise: x }), golden(`ddim.${steps}`))
  await model.dispose()
  rmSync(weights)
}

function hold(what: string, actual: Tensor, golden: Tensor): void {
  try {
    expectClose(actual, golden, tolerance)
    const worst = Array.from(golden.data, Number).reduce((most, value, i) => Math.max(most, Math.abs(value - Number(actual.data[i]))), 0)
    console.log(`ok ${what}, within ${worst.toExponential(1)}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`not ok ${what}: ${(error as Error).message}`)
  }
}
