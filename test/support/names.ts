import { readFileSync } from 'node:fs'

/** The tensors of a list in test/fixtures, `<name> [<shape>]` a line, in its order. */
export function readNames(list: string): Map<string, { shape: number[] }> {
  const text = readFileSync(new URL(`../fixtures/${list}.names.txt`, import.meta.url), 'utf8')
  return new Map(
    text
      .trimEnd()
      .split('\n')
      .map((line) => {
        const space = line.indexOf(' ')
        return [line.slice(0, space), { shape: JSON.parse(line.slice(space + 1)) as number[] }]
      }),
  )
}
