import { expect, test } from 'vitest'
import { metrics, type FixationTensor, type MapTensor } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

const [h, w] = [12, 16]
const bytes: MapTensor = { dtype: 'uint8', shape: [h, w], data: Uint8Array.from({ length: h * w }, (_, i) => (i * 37) % 256) }
const reals: MapTensor = { dtype: 'float64', shape: [h, w], data: Float64Array.from(bytes.data) }
const density: MapTensor = { dtype: 'uint8', shape: [h, w], data: Uint8Array.from({ length: h * w }, (_, i) => (i * i * 11 + 5) % 251) }
const fixations: FixationTensor = { dtype: 'uint8', shape: [h, w], data: Uint8Array.from({ length: h * w }, (_, i) => Number(i % 17 === 3)) }

test('bytes are scored as the numbers they are', async () => {
  for (const [one, other] of [
    [metrics.cc(bytes, density), metrics.cc(reals, density)],
    [metrics.sim(bytes, density), metrics.sim(reals, density)],
    [metrics.kl(bytes, density), metrics.kl(reals, density)],
    [metrics.nss(bytes, fixations), metrics.nss(reals, fixations)],
    [metrics.aucJudd(bytes, fixations), metrics.aucJudd(reals, fixations)],
    [metrics.informationGain(bytes, fixations, density), metrics.informationGain(reals, fixations, density)],
    [metrics.informationGain(bytes, fixations), metrics.informationGain(reals, fixations)],
  ])
    expect((await one!).mean).toBeCloseTo((await other!).mean, 12)
})

test('blur and resizing are left out where that is said', async () => {
  const truth = { truth: () => ({ density, fixations }) }
  const of = (tensor: MapTensor) => [{ video: 'a', frame: 0, tensor }]
  const plain = await metrics.score(of(bytes), truth, { blur: false, resize: false })
  for (const name of ['cc', 'sim', 'kl'] as const) expect(plain.mean[name]).toBeCloseTo((await metrics[name](scaled(reals), density)).mean, 10)
  expect(plain.mean.nss).toBeCloseTo((await metrics.nss(reals, fixations)).mean, 10)
  const published = await metrics.score(of(bytes), truth)
  expect(published.mean.cc).not.toBeCloseTo(plain.mean.cc, 2)
  expect(await metrics.score(of(bytes), truth, { blur: true, resize: true })).toEqual(published)
  const small: MapTensor = { dtype: 'uint8', shape: [h / 2, w / 2], data: Uint8Array.from({ length: (h * w) / 4 }, (_, i) => (i * 29) % 256) }
  expect((await metrics.score(of(small), truth, { blur: false })).frames).toBe(1)
  await expectDiffSalError(
    () => metrics.score(of(small), truth, { resize: false }),
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    /as large as the truth, 12 × 16, without resizing, but 6 × 8 came/,
  )
  await expectDiffSalError(() => metrics.score(of(small), truth, { blur: 1 as never }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'blur')
})

/** From its least to its greatest value, 0 to 1, as the chain does. */
function scaled(map: MapTensor): MapTensor {
  const [least, most] = [Math.min(...map.data), Math.max(...map.data)]
  return { dtype: 'float64', shape: map.shape, data: Float64Array.from(map.data, (value) => (value - least) / (most - least)) }
}
