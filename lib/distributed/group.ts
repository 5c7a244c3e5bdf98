import { abortable } from '../addon/cancel.ts'
import type { NativeGroup } from '../addon/native.ts'
import { fixed } from '../checks/fixed.ts'
import { checkOptions } from '../checks/options.ts'
import { checkSignal } from '../checks/signal.ts'
import { DiffSalError, invalidArgument, madeBy } from '../errors.ts'

const ours = Symbol('group')

/** What of a group the package itself works with. */
export interface GroupHands {
  readonly native: NativeGroup
  readonly rank: number
  readonly worldSize: number
  readonly backend: 'gloo' | 'nccl'
  /** A seed that all processes share. */
  readonly seed: number
  /**
   * What each process gives, by rank; all call it in the same order. Calls of different channels are independent of each other.
   *
   * @throws DiffSalError ERR_DIFFSAL_PEER
   */
  exchange<T>(channel: string, value: T, signal?: AbortSignal): Promise<T[]>
  /** Refuses what is not the same in all processes; `what` says in a sentence what it is. */
  agree(what: string, value: unknown, signal?: AbortSignal): Promise<void>
  /** Ends the group for all after a failure of this process. Does nothing where another's has ended it, or all have met the same. */
  fail(error: unknown): Promise<void>
}

/** A group of joined processes. */
export let makeGroup: (hands: GroupHands) => Group

/** A group's inside. @throws DiffSalError ERR_DIFFSAL_DISPOSED after {@link Group.leave} */
export let handsOf: (group: Group) => GroupHands

/** Whether a value is a group. */
export let isGroup: (value: unknown) => value is Group

/**
 * Processes that train together, on one machine or several, as one of them sees it. `distributed.join` gives one. Where a process ends, stops or fails,
 * every call that needs it rejects with ERR_DIFFSAL_PEER in all others, and so does each later one.
 */
export class Group {
  /** Which process this is, from 0. Rank 0 writes the checkpoints. */
  readonly rank: number
  /** How many processes there are. */
  readonly worldSize: number
  readonly #hands: GroupHands
  #leaving: Promise<void> | undefined

  private constructor(key: symbol, hands: GroupHands) {
    if (key !== ours) throw madeBy('Group', 'distributed.join')
    this.rank = hands.rank
    this.worldSize = hands.worldSize
    fixed(this, 'rank', 'worldSize')
    this.#hands = hands
  }

  /**
   * Waits until all processes have come to it.
   *
   * @param options - `signal`: rejects with its reason when aborted; the others then wait until this process comes after all, or leaves
   * @throws DiffSalError ERR_DIFFSAL_PEER with the rank of a process that cannot come, ERR_DIFFSAL_DISPOSED after {@link leave}
   */
  async barrier(options?: { signal?: AbortSignal | undefined }): Promise<void> {
    const { signal } = checkOptions('options', options, ['signal'])
    const { exchange } = handsOf(this)
    await exchange('barrier', '', checkSignal(signal))
  }

  /** Parts from the others. Rank 0 waits until they do so too, at most for the group's timeout. Leaving twice does nothing. */
  leave(): Promise<void> {
    this.#leaving ??= this.#hands.native.leave(undefined)
    return this.#leaving
  }

  /** {@link leave}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  static {
    makeGroup = (hands) => new Group(ours, hands)
    isGroup = (value): value is Group => typeof value === 'object' && value !== null && #hands in value
    handsOf = (group) => {
      if (!isGroup(group)) throw invalidArgument('group', 'what distributed.join() gave', group)
      if (group.#leaving) throw new DiffSalError('ERR_DIFFSAL_DISPOSED', 'This process has left the group.', { argument: 'group' })
      return group.#hands
    }
  }
}

/** A group's inside, around what is native. */
export function groupHands(native: NativeGroup, place: Pick<GroupHands, 'rank' | 'worldSize' | 'backend' | 'seed'>): GroupHands {
  const { rank } = place
  const exchange = async <T>(channel: string, value: T, signal?: AbortSignal): Promise<T[]> => {
    const texts = await abortable(signal, (cancel) => native.exchange(channel, JSON.stringify(value), 0, cancel))
    return texts.map((text) => JSON.parse(text) as T)
  }
  return {
    ...{ native, ...place, exchange },
    agree: async (what, value, signal) => {
      const all = (await exchange('agree', value, signal)).map((each) => JSON.stringify(each))
      const other = all.findIndex((each) => each !== all[0])
      if (other >= 0) throw peerError(other, `${what}, but rank ${other} has ${all[other]} and rank 0 ${all[0]}.`)
    },
    fail: async (error) => {
      if (isPeerError(error) || (error instanceof DiffSalError && error.code === 'ERR_DIFFSAL_DIVERGED')) return
      const why = error instanceof Error ? error.message : 'it ended.'
      await native.fail(`Rank ${rank} has stopped: ${why}`).catch(() => undefined)
    },
  }
}

/** The error for a process that is not as the others. */
export function peerError(rank: number, message: string): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_PEER', message, { argument: 'rank', received: `${rank}` })
}

/** Whether another process is to blame. */
export function isPeerError(error: unknown): boolean {
  return error instanceof DiffSalError && error.code === 'ERR_DIFFSAL_PEER'
}
