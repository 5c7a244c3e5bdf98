import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setLogger } from '../../lib/index.ts'
import { bindingTarget } from './binding-target.ts'
import { caseSeed, Random } from './random.ts'
import { readerTargets } from './reader-targets.ts'
import { findingOf, targetOf } from './run-case.ts'

// A process of the fuzzing: it tells its parent each case before it runs it, so that the parent knows which one ended it, or never ends.

const { FUZZ_SEED = '1', FUZZ_TARGET, FUZZ_CASE } = process.env
const folder = mkdtempSync(join(tmpdir(), 'diffsal-fuzz-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
process.on('disconnect', () => process.exit(0))
setLogger(() => undefined)

const targets = [...readerTargets(folder), bindingTarget()].filter(({ name }) => FUZZ_TARGET === undefined || FUZZ_TARGET.split(',').includes(name))
if (targets.length === 0) throw new Error(`There is no target '${FUZZ_TARGET}'.`)

const tell = (message: object): Promise<void> => new Promise((resolve) => process.send!(message, () => resolve()))

for (let i = 0; ; i++) {
  const chosen = new Random(caseSeed(Number(FUZZ_SEED), 'target', i))
  const target = targetOf(targets, chosen)
  const seed = FUZZ_CASE === undefined ? caseSeed(Number(FUZZ_SEED), target.name, i) : Number(FUZZ_CASE)
  await tell({ target: target.name, seed })
  const finding = await findingOf(target, seed)
  if (finding !== undefined) await tell({ target: target.name, seed, finding })
  if (FUZZ_CASE !== undefined) break
}
process.exit(0)
