import { expect, test } from 'vitest'
import { html } from '../../lib/report/html.ts'

test('values are escaped, in text and in attributes; markup and lists of it are not', () => {
  const name = `<b onclick="x">'&`
  expect(html`<p title="${name}">${name}</p>`.text).toBe('<p title="&lt;b onclick=&quot;x&quot;&gt;&#39;&amp;">&lt;b onclick=&quot;x&quot;&gt;&#39;&amp;</p>')
  expect(html`<ul>${[1, 2].map((i) => html`<li>${i}</li>`)}</ul>${undefined}${['<', html`<br>`]}`.text).toBe('<ul><li>1</li><li>2</li></ul>&lt;<br>')
})

test('an object of the same form as markup is not taken for it', () => {
  expect(() => html`${{ text: '<script>' } as never}`.text).toThrow(TypeError)
})

test('what would turn or hide the text around a name is replaced', () => {
  expect(html`${'a\u202eb\u0000c\u2066d\te'}`.text).toBe('a\ufffdb\ufffdc\ufffdd\te')
})
