import type { OutputConfiguration } from 'commander'
import { printable, printableLines } from '../../errors.ts'

// All that the command line prints goes through here: names of files, tensors and videos are others', and a terminal obeys what is in them.

/** Prints lines on standard output. One item is one line: a break inside of it is shown as what it is. */
export function print(...lines: readonly string[]): void {
  console.log(lines.map(printable).join('\n'))
}

/** Prints text that has breaks of its own, such as a table. */
export function printText(text: string): void {
  console.log(printableLines(text))
}

/** Prints JSON on standard output, with what a terminal would obey as JSON's own escapes: it reads back as it was. */
export function printJson(value: unknown, indent?: number): void {
  console.log(jsonText(value, indent))
}

/** As {@link printJson} prints it. */
export function jsonText(value: unknown, indent?: number): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  // Only JSON's own breaks are left as control characters; those of the texts in it are escaped already.
  return JSON.stringify(value, undefined, indent).replace(/[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, escaped)
}

/** Prints lines on standard error, or where a command shows how far it is. */
export function tell(text: string, stream: NodeJS.WritableStream = process.stderr): void {
  stream.write(`${printableLines(text)}\n`)
}

/** How the parser of the command line prints help and its own errors, which quote what was typed. */
export const parserOutput: OutputConfiguration = {
  writeOut: (text) => void process.stdout.write(printableLines(text)),
  writeErr: (text) => void process.stderr.write(printableLines(text)),
  // An error is one line, but for the suggestion after it.
  outputError: (text, write) => write(`${printable(text.trimEnd()).replace(/\\u\{a\}(?=\(Did you mean )/, '\n')}\n`),
}
