import { mkdirSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { setLogger } from '../../lib/index.ts'
import { temporaryPath } from '../support/temporary.ts'
import { caseSeed, Random } from './random.ts'
import { bindingTarget } from './binding-target.ts'
import { readerTargets } from './reader-targets.ts'
import { findingOf } from './run-case.ts'

const folder = temporaryPath('fuzz')
mkdirSync(folder)
setLogger(() => undefined)
afterAll(() => setLogger(undefined))

/** Some seconds in all; `npm run fuzz -- --minutes N` goes on from other seeds. */
const cases = 5

test.each([...readerTargets(folder), bindingTarget()].map((target) => [target.name, target] as const))(
  '%s: what is damaged is read, or refused',
  async (name, target) => {
    await target.whole?.(new Random(1))
    for (let i = 0; i < cases * target.weight; i++) {
      const seed = caseSeed(1, name, i)
      const finding = await findingOf(target, seed)
      expect(finding, `npm run fuzz -- --target ${name} --case ${seed}`).toBeUndefined()
    }
  },
)
