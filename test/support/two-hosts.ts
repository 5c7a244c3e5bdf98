import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Runs a program and gives what it printed. @throws with what it complained of */
function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Why this machine cannot play two; undefined where it can. */
export const whyNoHosts = ((): string | undefined => {
  try {
    run('unshare', '--net', 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1')
    run('tc', '-V')
    return undefined
  } catch (error) {
    return (error as Error).message.split('\n').slice(0, 2).join(' ')
  }
})()

if (whyNoHosts !== undefined)
  console.warn(`Skipped: tests of two hosts, which need root, network namespaces and iproute2 (apt-get install iproute2): ${whyNoHosts}`)

/** Two network namespaces with a cable between them: what is in one reaches the other by its address alone. They end with this process, or after ten minutes. */
export class TwoHosts {
  /** The hosts' addresses. */
  readonly addresses = ['10.77.0.1', '10.77.0.2'] as const
  /** What {@link within} calls the cable's ends. */
  readonly interface = 'eth0'
  readonly #holders: readonly ChildProcess[]

  private constructor(holders: readonly ChildProcess[]) {
    this.#holders = holders
  }

  static async make(): Promise<TwoHosts> {
    const hosts = new TwoHosts([0, 1].map(() => spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' })))
    const own = readlinkSync('/proc/self/ns/net')
    const [first, second] = hosts.#holders.map(({ pid }) => `${pid}`) as [string, string]
    for (const pid of [first, second]) while (readlinkSync(`/proc/${pid}/ns/net`) === own) await sleep(10)
    run('ip', 'link', 'add', 'eth0', 'netns', first, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', second)
    for (const host of [0, 1] as const) {
      hosts.#on(host, 'ip', 'link', 'set', 'lo', 'up')
      hosts.#on(host, 'ip', 'address', 'add', `${hosts.addresses[host]}/24`, 'dev', 'eth0')
      hosts.#on(host, 'ip', 'link', 'set', 'eth0', 'up')
    }
    return hosts
  }

  /** The command that becomes another one on a host. */
  within(host: 0 | 1): string[] {
    return ['nsenter', '--target', `${this.#holders[host]!.pid}`, '--net', '--']
  }

  #on(host: 0 | 1, ...command: readonly string[]): string {
    const [program, ...args] = [...this.within(host), ...command]
    return run(program!, ...args)
  }

  /**
   * Makes the cable a bad one, in both directions: packets are late and some get lost. Where the kernel cannot do that by itself (netem), it is a slow one with a
   * short queue, which delays packets and drops those that do not fit.
   *
   * @returns how
   */
  worsen(): 'netem' | 'tbf' {
    const both = (...rule: readonly string[]): void => {
      for (const host of [0, 1] as const) this.#on(host, 'tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', ...rule)
    }
    try {
      both('netem', 'delay', '4ms', '2ms', 'loss', '1%')
      return 'netem'
    } catch {
      both('tbf', 'rate', '24mbit', 'burst', '8kb', 'latency', '12ms')
      return 'tbf'
    }
  }

  /** How many packets the cable's end on a host has dropped. */
  dropped(host: 0 | 1): number {
    return Number(/dropped (\d+)/.exec(this.#on(host, 'tc', '-s', 'qdisc', 'show', 'dev', 'eth0'))?.[1] ?? 0)
  }

  /** Pulls the cable out of a host. */
  cut(host: 0 | 1): void {
    this.#on(host, 'ip', 'link', 'set', 'eth0', 'down')
  }

  close(): void {
    for (const holder of this.#holders) holder.kill('SIGKILL')
  }
}
