/** The words JSON.parse would lose or that would reach an object's prototype. */
export interface NameFault {
  readonly name: string
  readonly fault: 'duplicate' | 'reserved'
}

/**
 * Finds what `JSON.parse` hides: a name given twice in one object (the last would win silently), and `__proto__`.
 * `text` must have passed `JSON.parse`; so this only has to tell names from the other strings.
 */
export function findNameFault(text: string): NameFault | undefined {
  // One entry a container that is open: the names seen in an object, nothing for an array.
  const open: (Set<string> | null)[] = []
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '{') open.push(new Set())
    else if (char === '[') open.push(null)
    else if (char === '}' || char === ']') open.pop()
    else if (char === '"') {
      const end = stringEnd(text, i)
      const names = open.at(-1)
      if (names && isName(text, end)) {
        const name = JSON.parse(text.slice(i, end)) as string
        if (name === '__proto__') return { name, fault: 'reserved' }
        if (names.has(name)) return { name, fault: 'duplicate' }
        names.add(name)
      }
      i = end - 1
    }
  }
  return undefined
}

/** The index after the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  for (let end = start; ; ) {
    end = text.indexOf('"', end + 1)
    let slashes = 0
    while (text[end - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return end + 1
  }
}

/** Whether the string that ends before `end` is followed by a colon. */
function isName(text: string, end: number): boolean {
  while (' \t\n\r'.includes(text[end]!)) end++
  return text[end] === ':'
}
