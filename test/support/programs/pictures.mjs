// Writes a picture, first with no file left to open, then again; says what is loaded when.
import { closeSync, openSync, readFileSync } from 'node:fs'

const { maps } = await import(process.env.DIFFSAL_PACKAGE)
const loaded = () => (/libvips/.test(readFileSync('/proc/self/maps', 'utf8')) ? 'loaded' : 'not loaded')
console.log(loaded())

const map = { dtype: 'float32', shape: [1, 1, 1, 2], data: Float32Array.of(0, 1) }
const open = []
try {
  for (;;) open.push(openSync('/dev/null'))
} catch {}
const refused = await maps.toPng(map).catch((error) => error)
for (const file of open) closeSync(file)
console.log(refused.code, refused.argument, /raise the limit of open files/.test(refused.message))

console.log((await maps.toPng(map)).subarray(1, 4).toString())
console.log(loaded())
