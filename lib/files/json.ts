import { DiffSalError } from '../errors.ts'

/** How deep arrays and objects may lie in each other: what goes through a value by recursion has an end to its stack. */
const mostDeep = 100

/** How many parts a text may have where its reader names no other bound. */
const mostParts = 2 ** 22

/**
 * As JSON.parse, for text of others: what a short text may become has a bound. A part is what begins with `[`, `{`, `,` or `:`.
 *
 * @param most the most parts; each takes some 50 bytes of memory
 * @throws SyntaxError also for more parts, and for more than 100 arrays and objects in each other
 */
export function parseJson(text: string, most = mostParts): unknown {
  let parts = 0
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const sign = text[i]!
    if (sign === '"') i = endOfString(text, i)
    else if (sign === ']' || sign === '}') depth -= 1
    else if ('[{,:'.includes(sign)) parts += 1
    if (sign === '[' || sign === '{') depth += 1
    if (parts > most) throw new SyntaxError(`it has more than ${most} parts`)
    if (depth > mostDeep) throw new SyntaxError(`it has more than ${mostDeep} lists and objects in each other`)
  }
  return JSON.parse(text)
}

/** Where a string ends that begins at `from`; the text's end where it does not. */
function endOfString(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '"') return i
    if (text[i] === '\\') i += 1
  }
  return text.length
}

/**
 * The content of a file of JSON that somebody wrote by hand.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for what is no JSON, naming the file and the place
 */
export function parseJsonFile(file: string, text: string): unknown {
  const content = text.replace(/^\ufeff/, '')
  try {
    return parseJson(content)
  } catch (cause) {
    const { message } = cause as SyntaxError
    const fault = placeOfFault(content, message)
    const before = content.slice(0, fault).split('\n')
    const place = fault === undefined ? '' : ` (line ${before.length}, column ${before.at(-1)!.length + 1})`
    // What follows is a part of the text, or the place in other words.
    const words = message.replace(/(( in JSON)? at position \d+.*|, (\.{3})?".*is not valid JSON)$/s, '')
    throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `'${file}' is not JSON: ${words}${place}.`, { argument: file, expected: 'JSON', cause })
  }
}

/** Where a text ceases to be JSON; undefined where it is, but has too many parts. */
function placeOfFault(text: string, message: string): number | undefined {
  if (message.startsWith('it has more')) return undefined
  const told = /at position (\d+)/.exec(message)
  if (told) return Number(told[1])
  const unexpected = (length: number): boolean => {
    try {
      JSON.parse(text.slice(0, length))
      return false
    } catch (error) {
      return (error as SyntaxError).message.startsWith('Unexpected token')
    }
  }
  if (!unexpected(text.length)) return text.length
  // V8 does not tell it of a token: it is the last one of the shortest beginning with the same fault.
  let [good, bad] = [0, text.length]
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (unexpected(middle)) bad = middle
    else good = middle
  }
  return good
}
