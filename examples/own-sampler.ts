// A DDIM sampler written with the package's parts: it gives the map of model.predict with the same noise.
// In a program of yours, import from 'diffsal'.
import { type DiffSal, schedule, type Features, type Tensor } from '../lib/index.ts'

/** Algorithm 2: the clean map from standard normal noise x_T, in `steps` steps. */
export async function sampleMap(model: DiffSal, features: Features, noise: Tensor<'float32'>, steps: number): Promise<Tensor<'float32'>> {
  let x = noise
  for (const [now, next] of schedule.ddimTimes(steps)) {
    const s0 = await model.denoise(x, now, features)
    if (next < 0) return s0
    x = schedule.ddimStep(x, s0, now, next)
  }
  return x
}
