/** What a terminal would obey instead of showing: control characters, turns of the direction of writing, breaks of lines. */
const obeyed = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

/** A name as a terminal can be given it: what it would obey is spelt as in `\u{1b}`. */
export function printable(name: string): string {
  return name.replaceAll(obeyed, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** As {@link printable}, for text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
