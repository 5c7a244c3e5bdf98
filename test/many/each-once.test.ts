import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { eachOnce, type Hands } from '../../lib/many/each-once.ts'

const free = { release: async () => undefined }

function handsOf(more: Partial<Hands<string, string>> = {}): Hands<string, string> {
  return {
    finished: async () => undefined,
    claim: async () => free,
    work: async (item) => item.toUpperCase(),
    ends: () => false,
    waits: () => undefined,
    ...more,
  }
}

async function all(items: readonly string[], hands: Hands<string, string>, jobs = 2, signal = new AbortController().signal) {
  const outcomes = []
  for await (const outcome of eachOnce(items, hands, { jobs, signal })) outcomes.push(outcome)
  return outcomes
}

describe('each item', () => {
  test('is done, so many at a time, or passed over; a failure is its own', async () => {
    let [now, most] = [0, 0]
    const work = async (item: string): Promise<string> => {
      most = Math.max(most, ++now)
      await sleep(5)
      now--
      if (item === 'c') throw new Error('bad')
      return item.toUpperCase()
    }
    const finished = async (item: string): Promise<string | undefined> => (item === 'b' ? 'before' : undefined)
    const outcomes = await all(['a', 'b', 'c', 'd', 'e'], handsOf({ work, finished }), 3)
    expect(outcomes.sort((x, y) => (x.item < y.item ? -1 : 1))).toEqual([
      { item: 'a', status: 'done', result: 'A' },
      { item: 'b', status: 'skipped', result: 'before' },
      { item: 'c', status: 'failed', error: new Error('bad') },
      { item: 'd', status: 'done', result: 'D' },
      { item: 'e', status: 'done', result: 'E' },
    ])
    expect(most).toBe(3)
  })

  test('that another process has comes last: finished by it, or left by it', async () => {
    const taken = new Set(['a', 'b'])
    const done = new Set<string>()
    const waits = vi.fn(() => {
      taken.clear()
      done.add('a')
    })
    const claim = async (item: string) => (taken.has(item) ? undefined : free)
    const outcomes = await all(['a', 'b', 'c'], handsOf({ claim, waits, finished: async (item) => (done.has(item) ? 'theirs' : undefined) }))
    expect(waits).toHaveBeenCalledExactlyOnceWith(['a', 'b'])
    expect(outcomes.map(({ item, status }) => `${item} ${status}`)).toEqual(['c done', 'a skipped', 'b done'])
  })

  test('is looked at again once it is had, for another process may have finished it', async () => {
    let had = false
    const work = vi.fn(async () => 'again')
    const claim = async () => {
      had = true
      return free
    }
    expect(await all(['a'], handsOf({ claim, work, finished: async () => (had ? 'theirs' : undefined) }))).toEqual([
      { item: 'a', status: 'skipped', result: 'theirs' },
    ])
    expect(work).not.toHaveBeenCalled()
  })

  test('is let go, however its work ended', async () => {
    const release = vi.fn(async () => undefined)
    await all(['a', 'b'], handsOf({ claim: async () => ({ release }), work: async (item) => (item === 'a' ? Promise.reject(new Error('bad')) : item) }))
    expect(release).toHaveBeenCalledTimes(2)
  })
})

describe('all ends', () => {
  const slow = (item: string, signal: AbortSignal): Promise<string> =>
    item === 'slow' ? sleep(60_000, item, { signal }).catch(() => Promise.reject(signal.reason)) : Promise.reject(new Error('no disk'))

  test('by a failure that every item would meet, after the work at hand', async () => {
    const release = vi.fn(async () => undefined)
    const hands = handsOf({ work: slow, ends: () => true, claim: async () => ({ release }) })
    await expect(all(['slow', 'b', 'c'], hands)).rejects.toThrow('no disk')
    expect(release).toHaveBeenCalledTimes(2)
  })

  test('by the signal, with its reason, also while another process is waited for', async () => {
    const stopping = new AbortController()
    const running = all(['slow', 'slow2'], handsOf({ work: slow, claim: async () => free }), 1, stopping.signal)
    await sleep(10)
    stopping.abort(new Error('stop'))
    await expect(running).rejects.toThrow('stop')
    const waiting = new AbortController()
    await expect(
      all(['a'], handsOf({ claim: async () => undefined, waits: () => void setTimeout(() => waiting.abort(new Error('enough')), 5) }), 1, waiting.signal),
    ).rejects.toThrow('enough')
  })

  test('when the reader leaves', async () => {
    const release = vi.fn(async () => undefined)
    const hands = handsOf({
      claim: async () => ({ release }),
      work: (item, signal) => (item === 'a' ? Promise.resolve(item) : sleep(60_000, item, { signal })),
    })
    for await (const _ of eachOnce(['a', 'b'], hands, { jobs: 2, signal: new AbortController().signal })) break
    expect(release).toHaveBeenCalledTimes(2)
  })
})
