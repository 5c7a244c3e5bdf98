import { checkList } from '../checks/options.ts'
import { readOptions, type OptionTable } from '../checks/table.ts'
import { invalidArgument, invalidArgumentText } from '../errors.ts'
import { checkTensor, type Tensor } from '../tensor.ts'
import { mapSize } from './map-input.ts'
import { resized } from './resize.ts'

/** How {@link activity} makes a map. */
export interface ActivityOptions {
  /** [height, width] of the map. Default: the finest stage's. */
  size?: readonly [number, number] | undefined
}

/** What there is to know of {@link ActivityOptions}. */
export const activityTable = { size: mapSize } satisfies OptionTable<ActivityOptions>

/**
 * One map of what `predict` with `activity: true` tells: how much a place's channels agree with the sound, against those of the other places of its row. 1 is
 * no more than they. It is the mean over the stages, each brought to one size, of the mean over the channels of eq. 9's factor times the width.
 *
 * @param stages - each MAM stage's activity, float32 (1, C, h, w), of one clip
 * @returns float32 (height, width), 0 or more
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_OUT_OF_MEMORY
 */
export function activity(stages: readonly Tensor<'float32'>[], options?: ActivityOptions): Tensor<'float32'> {
  const given = checkList('stages', stages, "a list of the stages' tensors", 1, 16).map((stage, i) => checkStage(`stages[${i}]`, stage as Tensor<'float32'>))
  const { size: wanted } = readOptions<ActivityOptions, typeof activityTable>('options', options, activityTable)
  const finest = given.reduce((best, stage) => (stage.shape[2]! * stage.shape[3]! > best.shape[2]! * best.shape[3]! ? stage : best))
  const size = wanted ?? ([finest.shape[2]!, finest.shape[3]!] as const)
  const sum = new Float32Array(size[0] * size[1])
  for (const { shape, data } of given) {
    const [, channels, height, width] = shape as [number, number, number, number]
    const pixels = height * width
    const mean = new Float64Array(pixels)
    for (let i = 0; i < data.length; i++) mean[i % pixels]! += (data[i]! * width) / channels
    for (const [i, value] of resized(mean, [height, width], size).entries()) sum[i]! += value / given.length
  }
  return { dtype: 'float32', shape: [...size], data: sum }
}

function checkStage(argument: string, stage: Tensor<'float32'>): Tensor<'float32'> {
  const checked = checkTensor(argument, stage, ['float32'])
  const { shape, data } = checked
  if (shape.length !== 4 || shape[0] !== 1 || data.length === 0) throw invalidArgument(`${argument}.shape`, '(1, C, h, w), of one clip', shape)
  const odd = data.findIndex((value) => !(value >= 0 && value <= 1))
  if (odd >= 0) throw invalidArgumentText(`${argument}.data[${odd}]`, 'a share from 0 to 1', `${data[odd]}`)
  return checked
}
