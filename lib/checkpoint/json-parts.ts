const [quote, backslash] = [0x22, 0x5c]
const parting = new Set(Buffer.from('{[,:'))

/**
 * Whether a JSON text has more than `most` parts (objects, arrays, their items, names), which is what parsing it costs: made-up ones of
 * a few bytes each take a thousand times as long as as many bytes of text. Stops as soon as it knows.
 */
export function hasMoreParts(text: Uint8Array, most: number): boolean {
  let parts = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === quote) i = stringEnd(text, i)
    else if (parting.has(text[i]!) && ++parts > most) return true
  }
  return false
}

/** The index of the quote that closes the string which opens at `start`. */
function stringEnd(text: Uint8Array, start: number): number {
  for (let end = start; ; ) {
    end = text.indexOf(quote, end + 1)
    if (end < 0) return text.length
    let slashes = 0
    while (text[end - 1 - slashes] === backslash) slashes++
    if (slashes % 2 === 0) return end
  }
}
