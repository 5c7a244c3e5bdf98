import { Command } from 'commander'
import { publishedWeights, type PublishedWeights } from '../../checkpoint/published-weights.ts'
import { printJson, printText } from '../terminal/print.ts'

/** `diffsal weights`: where published weights are, and what takes them. It downloads nothing. */
export function weightsCommand(): Command {
  return new Command('weights')
    .description('print where published weights are that diffsal reads, their licence, and the command that takes each')
    .option('--json', 'print one JSON array')
    .action(({ json }: { json?: true }) => {
      if (json) printJson(publishedWeights, 2)
      else printText(toText())
    })
}

function toText(): string {
  const head = 'Nothing is downloaded by this command. A licence is what the source says; read it before you use the weights.'
  return [head, ...publishedWeights.map(entryText)].join('\n\n')
}

function entryText(weights: PublishedWeights): string {
  const rows = facts(weights).map(([name, value]) => `  ${name.padEnd(8)}  ${value.replaceAll('`', '')}`)
  return [weights.title, ...rows].join('\n')
}

/** What there is to say of published weights, in the order of the page and of the terminal. */
export function facts(weights: PublishedWeights): [name: string, value: string][] {
  const { use, file, where, source, licence, parameters, megabytes, command } = weights
  const size = [
    ...(parameters === undefined ? [] : [`${(parameters / 1e6).toFixed(1)} M parameters`]),
    ...(megabytes === undefined ? [] : [`${megabytes.toFixed(1)} MB`]),
  ]
  return [
    ['for', use],
    ['file', file],
    ['where', where],
    ['source', source],
    ['licence', licence],
    ...(size.length === 0 ? [] : [['size', size.join(', ')] as [string, string]]),
    ['command', command],
  ]
}
