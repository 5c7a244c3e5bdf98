import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { copyPackage } from '../support/package-copy.ts'
import { freePort, runGroup, startMember, type Said } from '../support/group.ts'
import { hasGloo } from '../support/has-gloo.ts'
import { packageFolder } from '../support/run-program.ts'
import { temporaryPath } from '../support/temporary.ts'

/** What a process failed with; all that it failed with, so that a second complaint shows. */
const errors = (said: readonly Said[]) => said.filter(({ type }) => type === 'error' || type === 'complaint')
const peer = (received: string, message: RegExp) => ({ type: 'error', code: 'ERR_DIFFSAL_PEER', received, message: expect.stringMatching(message) as string })

describe.skipIf(!hasGloo)('join', () => {
  it('brings processes together, and lets them part', async () => {
    const all = await runGroup(3, { waits: true })
    expect(all.map((said) => said.map(({ type, rank, worldSize, code }) => [type, rank ?? code, worldSize]))).toEqual(
      [0, 1, 2].map((rank) => [
        ['joined', rank, 3],
        ['read', undefined, undefined],
        ['end', undefined, undefined],
        ['closed', 0, undefined],
      ]),
    )
  }, 120_000)

  it('refuses a process that was started for another number of processes', async () => {
    const all = await runGroup(2, { waits: true }, (rank) => (rank === 1 ? { join: { worldSize: 3 } } : {}))
    const why = peer(expect.stringMatching(/[01]/) as string, /^Rank [01] was started as one of [23] processes, but the group is of [23]\.$/)
    expect(all.map(errors)).toEqual([[why], [why]])
  }, 120_000)

  it('refuses a second process of one rank; the first one stays', async () => {
    const port = await freePort()
    const member = (rank: number) => startMember({ join: { rank, worldSize: 3, master: `127.0.0.1:${port}`, timeout: 12 } })
    const [first, one, two] = [member(0), member(1), member(1)]
    const said = await Promise.all([first, one, two].map(({ events }) => events))
    const found = said.slice(1).flatMap(errors)
    expect(found).toContainEqual(peer('1', /^Rank 1 has joined already: two processes were started as rank 1\.$/))
    expect(errors(said[0]!)).toEqual([peer('2', /^Rank 2 of 3 did not come within 12 s\.$/)])
  }, 120_000)

  it('refuses another configuration, and another version of the package', async () => {
    const configured = await runGroup(2, { waits: true }, (rank) => ({ join: { configuration: { lr: rank } } }))
    expect(configured.map(errors)).toEqual([0, 1].map(() => [peer('1', /^Rank 1 has another configuration than rank 0/)]))

    const other = copyPackage(temporaryPath('other'))
    symlinkSync(join(packageFolder(), 'build'), join(other, 'build'))
    const manifest = JSON.parse(readFileSync(join(other, 'package.json'), 'utf8')) as { version: string }
    const { version } = manifest
    writeFileSync(join(other, 'package.json'), JSON.stringify({ ...manifest, version: '0.0.9' }))
    const port = await freePort()
    const members = [0, 1].map((rank) =>
      startMember({ join: { rank, worldSize: 2, master: `127.0.0.1:${port}`, timeout: 30 } }, {}, rank === 1 ? other : undefined),
    )
    const said = await Promise.all(members.map(({ events }) => events))
    expect(said.map(errors)).toEqual([0, 1].map(() => [peer('1', new RegExp(`^Rank 1 has diffsal 0\\.0\\.9, but rank 0 ${version.replaceAll('.', '\\.')}`))]))
  }, 180_000)

  it('ends where nobody answers', async () => {
    const port = await freePort()
    const alone = await startMember({ join: { rank: 1, worldSize: 2, master: `127.0.0.1:${port}`, timeout: 2 } }).events
    expect(errors(alone)).toEqual([peer('0', new RegExp(`^Nothing answers at '127\\.0\\.0\\.1:${port}', where rank 0 should be, within 2 s`))])
  }, 120_000)
})

describe('without the part for several processes', () => {
  it('says how to get it', async () => {
    const bare = temporaryPath('bare')
    mkdirSync(join(bare, 'build', 'Release'), { recursive: true })
    const build = join(packageFolder(), 'build', 'Release')
    for (const name of readdirSync(build))
      if (/\.(node|so|json)$/.test(name) && name !== 'diffsal_gloo.so') symlinkSync(join(build, name), join(bare, 'build', 'Release', name))
    const said = await startMember({ join: { rank: 0, worldSize: 1 } }, { DIFFSAL_PREBUILD: bare }).events
    expect(errors(said)).toEqual([
      {
        type: 'error',
        code: 'ERR_DIFFSAL_ADDON_MISSING',
        message: expect.stringMatching(/apt-get install libgloo-dev`\) and compile the addon again with `npm run build:native`/) as string,
      },
    ])
  }, 120_000)
})
