import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startMember, type Member, type Said } from '../support/group.ts'
import { hasGloo } from '../support/has-gloo.ts'
import { packageFolder } from '../support/run-program.ts'
import { trainingConfig } from '../support/training.ts'
import { TwoHosts, whyNoHosts } from '../support/two-hosts.ts'

const of = (said: readonly Said[], type: string) => said.filter((event) => event.type === type)
const seconds = 8
const port = 29_511

describe.skipIf(!hasGloo || whyNoHosts !== undefined)('two hosts', () => {
  let hosts: TwoHosts
  beforeAll(async () => void (hosts = await TwoHosts.make()))
  afterAll(() => hosts.close())

  /** One process on each host, which meet at the first one's address. */
  function start(scenario: object, at: number): Member[] {
    return ([0, 1] as const).map((rank) => {
      const join = { rank, worldSize: 2, master: `${hosts.addresses[0]}:${at}`, timeout: seconds }
      return startMember(
        { create: trainingConfig, trainer: { lr: 1e-3, seed: 3 }, length: 8, ...scenario, join },
        { GLOO_SOCKET_IFNAME: hosts.interface },
        packageFolder(),
        hosts.within(rank),
      )
    })
  }

  it('train together over a cable that delays and loses packets, and have the same weights', async () => {
    const how = hosts.worsen()
    const all = await Promise.all(start({ fit: { epochs: 2, batch: 1 } }, port).map(({ events }) => events))
    for (const said of all) {
      expect(said.at(-1)).toEqual({ type: 'closed', code: 0, signal: null })
      expect(of(said, 'step')).toHaveLength(8)
    }
    expect(of(all[0]!, 'hash')).toEqual(of(all[1]!, 'hash'))
    expect(hosts.dropped(0) + hosts.dropped(1), how).toBeGreaterThan(0)
  }, 150_000)

  it('whose cable is cut in mid-run both end within the timeout, and each names the other', async () => {
    const members = start({ fit: { epochs: 100_000, batch: 1 } }, port + 1)
    await Promise.all(members.map(({ said }) => said('step')))
    const begin = performance.now()
    hosts.cut(1)
    const all = await Promise.all(members.map(({ events }) => events))
    const passed = (performance.now() - begin) / 1000
    for (const [rank, said] of all.entries()) {
      expect(of(said, 'error')).toEqual([
        { type: 'error', code: 'ERR_DIFFSAL_PEER', received: `${1 - rank}`, message: expect.stringMatching(new RegExp(`^Rank ${1 - rank} `)) as string },
      ])
      expect(said.at(-1)).toEqual({ type: 'closed', code: 0, signal: null })
    }
    // What a process is promised, and the time that it takes to end on a busy machine.
    expect(passed).toBeLessThan(seconds + 10)
  }, 150_000)
})
