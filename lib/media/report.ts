import { rational, type Rational } from './rational.ts'

/** A stream as ffmpeg lists it. */
export interface ReportedStream {
  /** Its number in the file. */
  readonly index: number
  readonly kind: 'Video' | 'Audio'
  /** What follows the kind: `h264 (High), yuv420p(tv, bt709), 640x360, 25 fps, 25 tbr (default)`. */
  readonly text: string
  /** Marked as the one to take among several. */
  readonly isDefault: boolean
  /** A cover picture, or the pictures of a preview strip. */
  readonly isPicture: boolean
  /** By how many degrees players turn it, where they do; NaN where they only mirror it. */
  readonly turn?: number
  /** The programmes of a broadcast that it belongs to, by their numbers. */
  readonly programmes: readonly number[]
  /** Whether a picture of transparency comes with each one, which ffmpeg's own decoders do not read. */
  readonly besideAlpha: boolean
}

/** A decoded frame as the filter `showinfo` tells of it. */
export interface ReportedFrame {
  /** Its time, in the stream's time base. NaN where it has none. */
  readonly ticks: number
  readonly width: number
  readonly height: number
  readonly pixelAspect?: Rational
  /** Whether it is made of two fields. */
  readonly interlaced: boolean
}

/** What ffmpeg wrote of a file. */
export interface Report {
  /** ffmpeg's names of the format: `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly format: string
  /** Seconds from the first of its times to the end, where it tells. */
  readonly duration?: number
  /** In the order of their numbers. */
  readonly streams: readonly ReportedStream[]
  /** The stream whose frames were decoded. */
  readonly decoded?: number
  readonly frames: readonly ReportedFrame[]
  /** Seconds of a tick. */
  readonly timeBase?: Rational
  /** Frames a second as ffmpeg guesses from the times. */
  readonly guess?: Rational
  /** Whether ffmpeg gave up looking before a listed stream of video or sound had begun. */
  readonly unfinished: boolean
}

/** Reads the report of a run with `showinfo`; undefined where ffmpeg did not open the file. */
export function readReport(log: string): Report | undefined {
  const lines = log.split('\n')
  // Metadata of the file itself comes before this line, that of streams is indented further than streams are: so no title or
  // language, whatever it says, is taken for a stream.
  const first = lines.findIndex((line) => line.startsWith('  Duration: '))
  if (first < 0) return undefined
  const shown = lines.filter((line) => line.startsWith('[Parsed_showinfo'))
  const config = shown.map((line) => /config in time_base: (\d+)\/(\d+), frame_rate: (\d+)\/(\d+)/.exec(line)).find((match) => match !== null)
  const decoded = /^ {2}Stream #0:(\d+) -> #0:0/m.exec(log)?.[1]
  const format = lines.map((line) => /^Input #0, (.*?), from '/.exec(line)?.[1]).find((name) => name !== undefined) ?? ''
  const duration = seconds(lines[first]!, format)
  const [num, den] = [Number(config?.[3]), Number(config?.[4])]
  return {
    format,
    ...(duration !== undefined && { duration }),
    streams: readStreams(lines.slice(first)),
    ...(decoded !== undefined && { decoded: Number(decoded) }),
    // A decoder that is told to end may give one more, out of its order.
    frames: shown
      .map(readFrame)
      .filter((frame) => frame !== undefined)
      .slice(0, 3),
    ...(config && { timeBase: rational(Number(config[1]), Number(config[2])) }),
    ...(num > 0 && den > 0 && { guess: rational(num, den) }),
    unfinished: lines.some((line) => /Could not find codec parameters for stream \d+ \((Video|Audio): (?!none)/.test(line)),
  }
}

function readStreams(lines: readonly string[]): ReportedStream[] {
  const streams: ReportedStream[] = []
  let programme: number | undefined
  for (const line of lines) {
    const begun = /^ {2}(?:Program (\d+)|No Program)/.exec(line)
    if (begun) programme = begun[1] === undefined ? undefined : Number(begun[1])
    if (/^(Stream mapping|Output #)/.test(line)) break
    // The language in parentheses is any text, so they go as far as they can.
    const match = /^ {2,4}Stream #0:(\d+)(?:\[[^\]]*\])?(?:\(.*\))?: (Video|Audio): (.*)$/.exec(line)
    if (match) {
      const text = match[3]!
      const index = Number(match[1])
      const programmes = programme === undefined ? [] : [programme]
      // What several programmes share is listed by each; what follows the line belongs to the last of the list.
      const known = streams.findIndex((stream) => stream.index === index)
      if (known >= 0) {
        const [stream] = streams.splice(known, 1)
        streams.push({ ...stream!, programmes: [...stream!.programmes, ...programmes] })
        continue
      }
      const marks = /(?: \([a-z ]+\))*$/.exec(text)![0]
      streams.push({
        index,
        kind: match[2] as 'Video' | 'Audio',
        text,
        isDefault: marks.includes('(default)'),
        isPicture: /\((attached pic|timed thumbnails)\)/.test(marks),
        programmes,
        besideAlpha: false,
      })
    } else if (streams.length > 0 && /^ {6,8}displaymatrix: /.test(line)) {
      streams.push({ ...streams.pop()!, turn: Number(/rotation of (\S+) degrees/.exec(line)?.[1] ?? Number.NaN) })
    } else if (streams.length > 0 && /^ {6,8}alpha_mode +: 1$/i.test(line)) {
      streams.push({ ...streams.pop()!, besideAlpha: true })
    }
  }
  return streams.sort((a, b) => a.index - b.index)
}

function readFrame(line: string): ReportedFrame | undefined {
  const match = /\] n: *\d+ pts: *(\S+) .* sar:(\d+)\/(\d+) s:(\d+)x(\d+) i:(\w)/.exec(line)
  if (!match) return undefined
  const [num, den] = [Number(match[2]), Number(match[3])]
  return {
    ticks: Number(match[1]),
    width: Number(match[4]),
    height: Number(match[5]),
    ...(num > 0 && den > 0 && { pixelAspect: rational(num, den) }),
    interlaced: match[6] !== 'P',
  }
}

/** Formats whose length ffmpeg tells from time 0, not from where the first stream begins. */
const fromZero = /^(matroska|mov|asf|nut)\b/

/** The `Duration: 00:00:05.00, start: 0.021000` of a report, in seconds; undefined for N/A. */
function seconds(line: string, format: string): number | undefined {
  const match = /Duration: (\d+):(\d+):(\d+(?:\.\d+)?)(?:, start: (\d+(?:\.\d+)?))?/.exec(line)
  if (!match) return undefined
  const end = Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3])
  const start = fromZero.test(format) ? Number(match[4] ?? 0) : 0
  return start >= end ? end : Math.round((end - start) * 100) / 100
}
