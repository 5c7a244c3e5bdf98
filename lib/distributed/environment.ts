import { type DiffSalError, describe, invalidArgumentText } from '../errors.ts'

/** What launchers say of a process's place among the others. */
export interface Placement {
  readonly rank?: number
  readonly worldSize?: number
  readonly localRank?: number
  readonly host?: string
  readonly port?: number
  /** Whether the launcher has the meeting point open already. */
  readonly served: boolean
  /** What tells this start of the processes from another. */
  readonly run: string
}

/** Where SLURM jobs meet: one port a job, so that two on one machine do not meet each other. */
const slurmPorts = { first: 15_000, count: 10_000 }

/** Where others meet if nothing says so, as torchrun's programs do. */
export const usualPort = 29_500

/**
 * A process's place as its launcher's variables tell: torchrun's (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT), which others set
 * too, then SLURM's of a step that `srun` starts, then the number of a Kubernetes indexed Job.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for a variable that is no number
 */
export function placementOf(env: NodeJS.ProcessEnv): Placement {
  const number = (...names: string[]): number | undefined => {
    const name = names.find((each) => env[each] !== undefined && env[each] !== '')
    if (name === undefined) return undefined
    if (/^\d{1,9}$/.test(env[name]!)) return Number(env[name])
    throw invalidArgumentText(name, 'a number', describe(env[name]))
  }
  // In a batch script SLURM_PROCID is set too, though it is one process and none of its tasks.
  const slurm = env.SLURM_STEP_ID !== undefined && env.SLURM_PROCID !== undefined
  const job = slurm ? number('SLURM_JOB_ID') : undefined
  const rank = number('RANK', ...(slurm ? ['SLURM_PROCID'] : []), 'JOB_COMPLETION_INDEX')
  const worldSize = number('WORLD_SIZE', ...(slurm ? ['SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS'] : []))
  const localRank = number('LOCAL_RANK', ...(slurm ? ['SLURM_LOCALID'] : []))
  const host = env.MASTER_ADDR || (slurm ? firstHost(env.SLURM_STEP_NODELIST ?? env.SLURM_JOB_NODELIST) : undefined)
  const port = number('MASTER_PORT') ?? (job === undefined ? undefined : slurmPorts.first + (job % slurmPorts.count))
  return {
    ...(rank !== undefined && { rank }),
    ...(worldSize !== undefined && { worldSize }),
    ...(localRank !== undefined && { localRank }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    served: env.TORCHELASTIC_USE_AGENT_STORE === 'True',
    run: [env.TORCHELASTIC_RUN_ID, env.TORCHELASTIC_RESTART_COUNT].filter(Boolean).join('-'),
  }
}

/** Whether a launcher has started this process as one of several. */
export function isLaunched(env: NodeJS.ProcessEnv): boolean {
  const { rank, worldSize } = placementOf(env)
  return rank !== undefined && worldSize !== undefined && worldSize > 1
}

/** The first machine of a list as SLURM writes it: `gpu[01-04,07],cpu1` is gpu01 and others. */
export function firstHost(list: string | undefined): string | undefined {
  const found = /^([^,[]+)(?:\[([^\]\-,]+)[^\]]*\]([^,[]*))?/.exec(list ?? '')
  return found ? `${found[1]}${found[2] ?? ''}${found[3] ?? ''}` : undefined
}

/** `host:port`, the host in brackets where it has colons itself. */
export function readMaster(text: string): { host: string; port: number } {
  const found = /^(?:\[([^\]]+)\]|([^:\s/]+))(?::(\d{1,5}))?$/.exec(text)
  const port = found?.[3] === undefined ? usualPort : Number(found[3])
  if (!found || port < 1 || port > 65_535) throw invalidArgumentText('master', "a host and a port, such as 'node1:29500'", describe(text))
  return { host: (found[1] ?? found[2])!, port }
}

/** The error for what neither the call nor the environment says. */
export function unsaid(name: string, variables: string): DiffSalError {
  return invalidArgumentText(name, `given, or set by the launcher (${variables})`, 'nothing')
}
