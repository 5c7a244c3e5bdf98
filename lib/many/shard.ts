import { describe, invalidArgumentText } from '../errors.ts'

/** One of `count` parts of a list, from 1. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** What says how many pods a Kubernetes Job has: Kubernetes itself sets the index alone. */
export const countVariable = 'DIFFSAL_SHARDS'

/** A part as a text has it: `2/8`. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT */
export function readShard(text: string, argument = '--shard'): Shard {
  const [, index, count] = (/^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? []).map(Number)
  if (index === undefined || count === undefined || index < 1 || index > count) {
    throw invalidArgumentText(argument, 'K/N, the K-th of N parts, K from 1 to N: 2/8', describe(text))
  }
  return { index, count }
}

/**
 * The part that a scheduler gives this process: a task of a SLURM array, or a pod of a Kubernetes indexed Job. Undefined where there is none.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where the variables do not tell which part it is
 */
export function shardOf(env: NodeJS.ProcessEnv): Shard | undefined {
  const number = (name: string): number | undefined => {
    const value = env[name]
    if (value === undefined || value === '') return undefined
    if (/^\d{1,9}$/.test(value)) return Number(value)
    throw invalidArgumentText(name, 'a number', describe(value))
  }
  const task = number('SLURM_ARRAY_TASK_ID')
  if (task !== undefined) return ofArray(task, number('SLURM_ARRAY_TASK_COUNT'), number('SLURM_ARRAY_TASK_MIN'), number('SLURM_ARRAY_TASK_MAX'))
  const pod = number('JOB_COMPLETION_INDEX')
  if (pod === undefined) return undefined
  const count = number(countVariable)
  if (count === undefined || pod >= count) {
    const came = count === undefined ? 'nothing' : `${count}`
    throw invalidArgumentText(
      countVariable,
      `set to the Job's 'completions' where JOB_COMPLETION_INDEX is ${pod} (Kubernetes tells the index alone), or --shard given`,
      came,
    )
  }
  return { index: pod + 1, count }
}

/** An array's numbers may begin anywhere and have steps: `--array=10-40:10` is four tasks. */
function ofArray(task: number, count: number | undefined, least: number | undefined, greatest: number | undefined): Shard {
  const step = count === undefined || least === undefined || greatest === undefined || count < 2 ? 1 : (greatest - least) / (count - 1)
  const place = least === undefined || !(step > 0) ? Number.NaN : (task - least) / step
  if (count !== undefined && Number.isInteger(place) && place >= 0 && place < count) return { index: place + 1, count }
  const came = `task ${task} of ${count ?? 'an unknown number'} from ${least ?? 'an unknown one'} to ${greatest ?? 'an unknown one'}`
  throw invalidArgumentText(
    '--shard',
    'given, where the tasks of the SLURM array are not evenly spaced or their number is not told (SLURM_ARRAY_TASK_COUNT, _MIN, _MAX)',
    came,
  )
}

/** The items of a part: every `count`-th, so that neighbours, which are often alike in length, are dealt out. */
export function partOf<T>(items: readonly T[], { index, count }: Shard): T[] {
  return items.filter((_, at) => at % count === index - 1)
}
