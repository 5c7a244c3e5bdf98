let make: (text: string) => Markup

/** Text that is HTML already. Only {@link html} makes it, so that nothing gets into a page unescaped. */
export class Markup {
  readonly text: string

  private constructor(text: string) {
    this.text = text
  }

  static {
    make = (text) => new Markup(text)
  }
}

/** What goes into a template; a list is its items one after the other, undefined is nothing. */
export type Content = string | number | Markup | undefined | readonly Content[]

/** A template of HTML: every value but {@link Markup} is escaped, for text and for attributes in quotes. */
export function html(parts: TemplateStringsArray, ...values: Content[]): Markup {
  return make(parts.map((part, i) => part + (i < values.length ? textOf(values[i]) : '')).join(''))
}

function textOf(value: Content): string {
  if (value === undefined) return ''
  if (value instanceof Markup) return value.text
  if (typeof value === 'object') return value.map(textOf).join('')
  return escaped(String(value))
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

// What a terminal would obey has no place in HTML either, but for tabs and breaks; directional marks would turn the text around a file's name.
function escaped(text: string): string {
  return text.replace(/(?![\t\n\r])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '\ufffd').replace(/[&<>"']/g, (character) => entities[character]!)
}
