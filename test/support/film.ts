import { readFileSync, writeFileSync } from 'node:fs'

/** Marks an MPEG-2 stream of whole frames as film: of each second picture the first field is shown once more, as on a DVD, so that five fields show two. */
export function pullDown(stream: string): void {
  const bytes = readFileSync(stream)
  let [frame, top] = [0, 0]
  for (let at = bytes.indexOf('000001b5', 0, 'hex'); at >= 0; at = bytes.indexOf('000001b5', at + 4, 'hex')) {
    const kind = bytes[at + 4]! >> 4
    // The sequence is not only of whole frames.
    if (kind === 1) bytes[at + 5]! &= ~0x08
    if (kind !== 8) continue
    const repeat = frame++ % 2
    bytes[at + 7] = (bytes[at + 7]! & ~0x82) | (top << 7) | (repeat << 1)
    top ^= repeat
  }
  writeFileSync(stream, bytes)
}
