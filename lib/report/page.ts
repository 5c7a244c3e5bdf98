import { html, type Markup } from './html.ts'
import { style } from './style.ts'

/** What every page has. */
export interface Page {
  readonly title: string
  /** Where things stand, in a sentence. */
  readonly state: string
  /** Small facts beside each other. */
  readonly facts: readonly (readonly [name: string, value: string])[]
  readonly body: Markup
  readonly config: unknown
}

/**
 * The head of a page.
 *
 * @param policy what may be loaded and run: its Content-Security-Policy
 */
export function pageHead(title: string, policy: string, ...styles: readonly Markup[]): Markup {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="diffsal">
<title>${title}</title>
${styles.map(
  (one) => html`${one}
`,
)}</head>
`
}

/** A page that holds all it shows: it opens from a file, without a network, and prints. */
export function pageHtml({ title, state, facts, body, config }: Page): string {
  const page = html`${pageHead(title, "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'", style)}<body>
<h1><bdi>${title}</bdi></h1>
<p>${state}</p>
<dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd><bdi>${value}</bdi></dd></div>`)}</dl>
${body}
<h2>Configuration</h2>
<pre dir="ltr">${JSON.stringify(config, undefined, 2)}</pre>
</body>
</html>
`
  return page.text
}
