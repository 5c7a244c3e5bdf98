import { describe, expect, test } from 'vitest'
import { partOf, readShard, shardOf } from '../../lib/many/shard.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

const refused = (work: () => unknown, message: RegExp): Promise<unknown> => expectDiffSalError(async () => work(), 'ERR_DIFFSAL_INVALID_ARGUMENT', message)

describe('a part', () => {
  test('is every n-th, and all parts are all', () => {
    const items = [...Array(11).keys()]
    expect(partOf(items, { index: 2, count: 3 })).toEqual([1, 4, 7, 10])
    for (const count of [1, 2, 3, 11, 15]) {
      const parts = Array.from({ length: count }, (_, i) => partOf(items, { index: i + 1, count }))
      expect(parts.flat().sort((a, b) => a - b)).toEqual(items)
      expect(Math.max(...parts.map(({ length }) => length)) - Math.min(...parts.map(({ length }) => length))).toBeLessThanOrEqual(1)
    }
  })

  test('as a text', async () => {
    expect(readShard('2/8')).toEqual({ index: 2, count: 8 })
    expect(readShard('1/1')).toEqual({ index: 1, count: 1 })
    for (const text of ['5/4', '0/4', '1/0', '0/0', '1', '1/2/3', '-1/2', '1.5/2', 'a/b', '', '1/ 2', '1/9999999999']) {
      await refused(() => readShard(text), /'--shard' must be K\/N, the K-th of N parts, K from 1 to N: 2\/8, but '.*' came/)
    }
  })
})

/** The environment of each task of an array. */
const array = (tasks: readonly number[]): NodeJS.ProcessEnv[] =>
  tasks.map((task) => ({
    SLURM_ARRAY_TASK_ID: `${task}`,
    SLURM_ARRAY_TASK_COUNT: `${tasks.length}`,
    SLURM_ARRAY_TASK_MIN: `${Math.min(...tasks)}`,
    SLURM_ARRAY_TASK_MAX: `${Math.max(...tasks)}`,
  }))

describe('what a scheduler says', () => {
  test('nothing', () => expect(shardOf({ PATH: '/bin' })).toBeUndefined())

  test.each([[[0, 1, 2]], [[1, 2, 3]], [[7, 8, 9]], [[1, 3, 5]], [[10, 20, 30]], [[5]], [[0]]])('a SLURM array of %j', (tasks) => {
    expect(array(tasks).map(shardOf)).toEqual(tasks.map((_, i) => ({ index: i + 1, count: tasks.length })))
  })

  test('an array that is not even is refused by a task that has no place, not dealt out twice', async () => {
    const [first, second, third] = array([1, 2, 7])
    expect(shardOf(first!)).toEqual({ index: 1, count: 3 })
    await refused(
      () => shardOf(second!),
      /'--shard' must be given, where the tasks of the SLURM array are not evenly spaced .* but task 2 of 3 from 1 to 7 came/,
    )
    expect(shardOf(third!)).toEqual({ index: 3, count: 3 })
  })

  test('an array that does not tell its number, or none that is one', async () => {
    await refused(() => shardOf({ SLURM_ARRAY_TASK_ID: '3' }), /'--shard' must be given, .*task 3 of an unknown number/)
    await refused(() => shardOf({ SLURM_ARRAY_TASK_ID: 'x' }), /'SLURM_ARRAY_TASK_ID' must be a number, but 'x' came/)
  })

  test('a pod of an indexed Job, whose manifest says how many', async () => {
    expect(shardOf({ JOB_COMPLETION_INDEX: '0', DIFFSAL_SHARDS: '8' })).toEqual({ index: 1, count: 8 })
    expect(shardOf({ JOB_COMPLETION_INDEX: '7', DIFFSAL_SHARDS: '8' })).toEqual({ index: 8, count: 8 })
    await refused(
      () => shardOf({ JOB_COMPLETION_INDEX: '7' }),
      /'DIFFSAL_SHARDS' must be set to the Job's 'completions' where JOB_COMPLETION_INDEX is 7 .* but nothing came/,
    )
    await refused(() => shardOf({ JOB_COMPLETION_INDEX: '8', DIFFSAL_SHARDS: '8' }), /but 8 came/)
    await refused(() => shardOf({ JOB_COMPLETION_INDEX: '0', DIFFSAL_SHARDS: 'all' }), /'DIFFSAL_SHARDS' must be a number/)
  })
})
