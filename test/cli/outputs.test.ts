import { expect, it } from 'vitest'
import { planOutputs } from '../../lib/cli/outputs.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

it('one path for two outputs is refused', async () => {
  await expectDiffSalError(() => planOutputs('clip.mp4', { output: 'out/a.mp4', maps: './out/../out/a.mp4' }), 'ERR_DIFFSAL_INVALID_ARGUMENT', '--maps')
  expect(planOutputs('clip.mp4', { output: 'out/a.mp4', maps: 'out/a' })).toHaveLength(2)
})
