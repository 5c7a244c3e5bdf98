import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { program } from '../../lib/cli/program.ts'

const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync('docs').map((name) => join('docs', name))]

/** The words of each `diffsal …` in a page's shell blocks. */
function commandsOf(page: string): string[][] {
  const blocks = [...readFileSync(page, 'utf8').matchAll(/^```sh\n(.*?)^```/gms)].map(([, text]) => text!)
  return blocks
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => line.replace(/\s#.*/, '').split(/;|&&/))
    .map((command) => [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!))
    .map((words) => (words[0] === 'npx' ? words.slice(1) : words))
    .filter(([first]) => first === 'diffsal')
}

/** The commands with a note in place of what they do. */
function noting(command: Command, note: (name: string) => void): Command {
  command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} })
  if (command.commands.length === 0) command.action(() => note(command.name()))
  for (const inner of command.commands) noting(inner, note)
  return command
}

const documented = pages.flatMap((page) => commandsOf(page).map((words) => [page, words] as const))

describe('the commands that pages tell', () => {
  it('are many, from README and each page on the command', () => {
    expect(documented.length).toBeGreaterThan(20)
    expect(new Set(documented.map(([page]) => page))).toContain('README.md')
  })

  it.each(documented)('%s: %j is one that diffsal takes', async (_, words) => {
    const ran: string[] = []
    await noting(await program(), (name) => ran.push(name)).parseAsync(words.slice(1), { from: 'user' })
    expect(ran).toHaveLength(1)
  })

  it('would be refused with an option that is not there', async () => {
    const parsed = noting(await program(), () => {}).parseAsync(['predict', 'clip.mp4', '--overly'], { from: 'user' })
    await expect(parsed).rejects.toThrow(/unknown option '--overly'/)
  })
})
