import { expect, test } from 'vitest'
import { DiffSal, Features, Trainer } from '../lib/index.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { lightConfig } from './support/tiny-config.ts'
import { tinyInputs } from './support/tiny-inputs.ts'

test.each([
  [DiffSal, 'DiffSal.load or DiffSal.create'],
  [Features, 'DiffSal.encode'],
  [Trainer, 'DiffSal.trainer or DiffSal.resume'],
])('%o is not made by hand: the error says by what', async (made, by) => {
  for (const args of [[], [Symbol('model'), {}, 'cpu', 1, {}]]) {
    await expectDiffSalError(() => Reflect.construct(made, args) as unknown, 'ERR_DIFFSAL_INVALID_ARGUMENT', "'new'", by)
  }
})

test('what the package makes are instances of them', async () => {
  const { frames, mel } = tinyInputs()
  await using model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
  using features = await model.encode({ frames, mel })
  await using trainer = model.trainer()
  expect([model instanceof DiffSal, features instanceof Features, trainer instanceof Trainer]).toEqual([true, true, true])
})
