import { createHash } from 'node:crypto'
import { abortable } from '../addon/cancel.ts'
import { glooLibrary } from '../addon/gloo.ts'
import { native } from '../addon/native.ts'
import { ncclLibrary } from '../addon/nccl.ts'
import { choice, integer, later, number, readOptions, signal, text, type OptionTable } from '../checks/table.ts'
import { invalidArgumentText } from '../errors.ts'
import { packageVersion } from '../files/package-root.ts'
import { drawSeed } from '../random/seed.ts'
import { checkExtra } from '../training/extra.ts'
import { placementOf, readMaster, unsaid, usualPort } from './environment.ts'
import { groupHands, makeGroup, peerError, type Group } from './group.ts'

/** Which process of how many this is, and where they meet. What is left out is what the launcher says in the environment. */
export interface JoinOptions {
  /**
   * What carries the sums: `gloo` over TCP, through the host's memory; `nccl` between NVIDIA's devices, for models on `cuda:0` and so on, each process
   * with a device of its own. Default `gloo`.
   */
  backend?: 'gloo' | 'nccl' | undefined
  /** Which process this is, from 0. Default: RANK, or SLURM_PROCID, or JOB_COMPLETION_INDEX. */
  rank?: number | undefined
  /** How many processes there are. Default: WORLD_SIZE, or SLURM_STEP_NUM_TASKS or SLURM_NTASKS. */
  worldSize?: number | undefined
  /** Where rank 0 is, `host:port`. Default: MASTER_ADDR and MASTER_PORT (29500), or the first machine of the SLURM step. */
  master?: string | undefined
  /** Seconds in which all must come, and after which one that is silent is given up. Default 60. */
  timeout?: number | undefined
  /** Anything that JSON holds and that must be the same in all processes: a configuration, say. Default: nothing. */
  configuration?: unknown
  /** Rejects with the signal's reason when aborted. */
  signal?: AbortSignal | undefined
}

const table = {
  backend: choice<'gloo' | 'nccl', 'gloo'>(['gloo', 'nccl'], { usual: 'gloo' }),
  rank: integer(0, 65_535),
  worldSize: integer(1, 65_536),
  master: text(),
  timeout: number(1, 86_400, { usual: 60 }),
  configuration: later<unknown>(),
  signal,
} satisfies OptionTable<JoinOptions>

/** What a process says of itself when it joins. */
interface Hello {
  readonly version: string
  readonly libtorch: string
  readonly configuration: string
  readonly backend: string
  readonly seed: number
}

/**
 * Meets the other processes, by c10d's TCPStore, and connects with them, by its Gloo: libtorch's own engine, so that launchers and clusters
 * made for PyTorch do. With the backend `nccl` the devices are connected too, when a trainer begins. Each process calls it once, and gives the group to `DiffSal.trainer`.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT; ERR_DIFFSAL_ADDON_MISSING with the remedy where the addon was built without Gloo, or
 * without NCCL that is asked for; ERR_DIFFSAL_DEVICE, with what to do, for NCCL where no device of NVIDIA can be used;
 * ERR_DIFFSAL_PEER where not all come in time, and for a process that was started for another number of processes, twice under one
 * rank, with another version of this package or of libtorch, with another backend or configuration: its rank is named
 */
export async function join(options?: JoinOptions): Promise<Group> {
  const given = readOptions<JoinOptions, typeof table>('options', options, table)
  const configuration = createHash('sha256')
    .update(JSON.stringify(checkExtra(given.configuration, 'configuration')) ?? '')
    .digest('hex')
  const place = placementOf(process.env)
  const rank = given.rank ?? place.rank
  const worldSize = given.worldSize ?? place.worldSize
  if (rank === undefined) throw unsaid('rank', 'RANK, SLURM_PROCID, JOB_COMPLETION_INDEX')
  if (worldSize === undefined) throw unsaid('worldSize', 'WORLD_SIZE, SLURM_NTASKS')
  if (rank >= worldSize) throw invalidArgumentText('rank', `less than the ${worldSize} processes`, `${rank}`)
  if (given.master === undefined && place.host === undefined && worldSize > 1) throw unsaid('master', 'MASTER_ADDR, SLURM_JOB_NODELIST')
  const { host, port } = given.master === undefined ? { host: place.host ?? '127.0.0.1', port: place.port ?? usualPort } : readMaster(given.master)
  const { timeout: seconds, signal: stop, backend } = given
  const library = glooLibrary()
  const nccl = backend === 'nccl' ? ncclLibrary() : ''
  const group = new (native().Group)()
  const meeting = {
    rank,
    worldSize,
    host,
    port,
    seconds,
    serve: !place.served,
    prefix: `diffsal/${place.run}/`,
    interface: process.env.GLOO_SOCKET_IFNAME ?? '',
    nccl,
  }
  await abortable(stop, (cancel) => group.join(library, meeting, cancel))
  try {
    const own: Hello = { version: packageVersion(), libtorch: native().libtorch().version, configuration, backend, seed: drawSeed() }
    const texts = await abortable(stop, (cancel) => group.exchange('hello', JSON.stringify(own), seconds, cancel))
    const hellos = texts.map((each) => JSON.parse(each) as Hello)
    checkAlike(hellos)
    if (worldSize > 1) await abortable(stop, (cancel) => group.connect(cancel))
    return makeGroup(groupHands(group, { rank, worldSize, backend, seed: hellos[0]!.seed }))
  } catch (error) {
    await group.leave(undefined).catch(() => undefined)
    throw error
  }
}

function checkAlike(hellos: readonly Hello[]): void {
  const [first] = hellos as [Hello]
  for (const [rank, hello] of hellos.entries()) {
    const other = (what: string, own: string, its: string) => peerError(rank, `Rank ${rank} has ${what} ${own}, but rank 0 ${its}: all must have the same.`)
    if (hello.version !== first.version) throw other('diffsal', hello.version, first.version)
    if (hello.libtorch.split('+')[0] !== first.libtorch.split('+')[0]) throw other('libtorch', hello.libtorch, first.libtorch)
    if (hello.backend !== first.backend) throw other('the backend', hello.backend, first.backend)
    if (hello.configuration !== first.configuration) throw peerError(rank, `Rank ${rank} has another configuration than rank 0: all must have the same.`)
  }
}
