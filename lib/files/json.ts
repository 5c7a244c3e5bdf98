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
