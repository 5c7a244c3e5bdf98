import { checkInteger, checkStrings } from '../checks/options.ts'
import { invalidArgument, invalidArgumentText } from '../errors.ts'
import type { Split } from './dataset-options.ts'
import type { FoundSource } from './gaze-source.ts'

/**
 * Of the sources found, those that a split has: what is held out, or, for training, the rest.
 *
 * @param heldOut each nth, or names; every one must be of a source: a misspelt one would put into training what is meant for the test
 * @param folder where they were found, for messages
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, also where nothing is left
 */
export function ofSplit(found: readonly FoundSource[], heldOut: number | readonly string[], split: Split, folder: string): FoundSource[] {
  const isHeldOut = heldOutRule(found, heldOut, folder)
  const wanted = found.filter((one, i) => isHeldOut(one, i) === (split !== 'train'))
  if (wanted.length > 0) return wanted
  const expected = `such that it leaves the split '${split}' some of the ${found.length} pictures and videos in '${folder}'`
  throw invalidArgument('heldOut', expected, heldOut)
}

function heldOutRule(found: readonly FoundSource[], heldOut: number | readonly string[], folder: string): (one: FoundSource, place: number) => boolean {
  if (typeof heldOut === 'number') {
    const each = checkInteger('heldOut', heldOut, 2)
    return (_, place) => place % each === each - 1
  }
  const patterns = checkStrings('heldOut', heldOut)
  const stemOf = ({ name }: FoundSource) => name.slice(name.indexOf('/') + 1).replace(/\.[^.]*$/, '')
  for (const [i, pattern] of patterns.entries()) {
    if (found.some((one) => matches(stemOf(one), pattern))) continue
    throw invalidArgumentText(`heldOut[${i}]`, `the name, without extension, of a picture or video in '${folder}'`, `'${pattern}'`)
  }
  return (one) => patterns.some((pattern) => matches(stemOf(one), pattern))
}

/** Whether a name is as a pattern says, in which `*` stands for anything. */
function matches(name: string, pattern: string): boolean {
  const [first, ...rest] = pattern.split('*') as [string, ...string[]]
  if (rest.length === 0) return name === pattern
  if (!name.startsWith(first)) return false
  const last = rest.pop()!
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return name.length >= at + last.length && name.endsWith(last)
}
