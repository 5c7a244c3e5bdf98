// How well shots are found: of clips that have one shot each, pairs are laid over each other (dissolves of several lengths) and faded through black, at frames that a
// seed draws. A start within half of a transition's length of its middle is a hit; every other is false, and so is any in the clips themselves.
import { parseArgs } from 'node:util'
import { readFrames } from '../lib/media/frames.ts'
import { probe } from '../lib/media/probe.ts'
import { rationalValue } from '../lib/media/rational.ts'
import { Random } from '../lib/random/random.ts'
import { ShotDetector, sizeForShots, type ShotStart } from '../lib/shots/shot-detector.ts'

const { values, positionals } = parseArgs({
  options: { pairs: { type: 'string', default: '40' }, seed: { type: 'string', default: '1' } },
  allowPositionals: true,
})
if (positionals.length < 2) throw new Error('Name two clips of one shot each at least: npm run bench:shots -- clips/*.mp4')

interface Clip {
  readonly path: string
  readonly rate: number
  readonly frames: readonly Uint8Array[]
}

/** A clip's frames, small; of one with more than 35 a second, every other. */
async function readClip(path: string): Promise<Clip> {
  const { video, ...info } = await probe(path)
  const frames: Uint8Array[] = []
  for await (const { pixels } of readFrames({ ...info, video: video! }, sizeForShots)) frames.push(pixels)
  const rate = rationalValue(video!.rate)
  return rate > 35 ? { path, rate: rate / 2, frames: frames.filter((_, i) => i % 2 === 0) } : { path, rate, frames }
}

function startsIn(frames: readonly Uint8Array[], rate: number): readonly { readonly frame: number; readonly how: ShotStart }[] {
  const detector = new ShotDetector(sizeForShots, rate)
  for (const frame of frames) detector.add(frame)
  detector.end()
  return detector.starts.slice(1)
}

/** Frames before and after a transition. */
const around = 25

const mixed = (a: Uint8Array, b: Uint8Array, share: number): Uint8Array => Uint8Array.from(a, (value, i) => Math.round(value * (1 - share) + b[i]! * share))

/** Two clips, each as long as needed, with a transition of `length` frames (of a fade, `length` out and `length` in) after `around`. */
const transitions: Readonly<Record<string, (a: readonly Uint8Array[], b: readonly Uint8Array[], length: number) => Uint8Array[]>> = {
  dissolve: (a, b, length) => [
    ...a.slice(0, around),
    ...Array.from({ length }, (_, i) => mixed(a[around + i]!, b[i]!, (i + 1) / (length + 1))),
    ...b.slice(length, length + around),
  ],
  fade: (a, b, length) => {
    const black = new Uint8Array(a[0]!.length)
    const out = Array.from({ length }, (_, i) => mixed(a[around + i]!, black, (i + 1) / length))
    return [...a.slice(0, around), ...out, ...Array.from({ length }, (_, i) => mixed(black, b[i]!, (i + 1) / length)), ...b.slice(length, length + around)]
  },
}

const clips: Clip[] = []
for (const path of positionals) clips.push(await readClip(path))
let own = 0
for (const { path, rate, frames } of clips) {
  const found = startsIn(frames, rate)
  own += found.length
  if (found.length > 0) console.log(`${path}: ${found.map(({ how, frame }) => `${how} ${frame}`).join(', ')}`)
}
console.log(
  `${own} starts within ${clips.length} clips, ${clips.reduce((sum, { frames }) => sum + frames.length, 0)} frames\n\n| transition | frames | found | false |\n| --- | --- | --- | --- |`,
)
const random = new Random(Number(values.seed), 0x73686f74)
for (const [kind, lengths] of [
  ['dissolve', [5, 8, 12, 20, 30, 45]],
  ['fade', [4, 6, 12, 25]],
] as const) {
  for (const length of lengths) {
    let [hits, wrong, made] = [0, 0, 0]
    for (let pair = 0; pair < Number(values.pairs); pair++) {
      const first = random.below(clips.length)
      const second = (first + 1 + random.below(clips.length - 1)) % clips.length
      const [a, b] = [clips[first]!, clips[second]!].map(({ frames }) => {
        const from = random.below(Math.max(frames.length - length - around, 1))
        return frames.slice(from, from + length + around)
      }) as [Uint8Array[], Uint8Array[]]
      if (Math.min(a.length, b.length) < length + around) continue
      made += 1
      const [middle, reach] = kind === 'fade' ? [around + length, length] : [around + length / 2, Math.max(3, length / 2)]
      const found = startsIn(transitions[kind]!(a, b, length), clips[first]!.rate)
      const hit = found.some(({ frame }) => Math.abs(frame - middle) <= reach)
      hits += hit ? 1 : 0
      wrong += found.length - (hit ? 1 : 0)
    }
    console.log(`| ${kind} | ${length} | ${hits} of ${made} | ${wrong} |`)
  }
}
