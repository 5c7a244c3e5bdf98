import type { MediaInfo } from './media-info.ts'

/** Of times that run back, which ffmpeg mends for the outputs that we read. */
const ofOutputs = /^\[(out#\d+\/\w+|rawvideo|framecrc|f32le|null) @/

/**
 * What ffmpeg said of one of a plan's streams or of the file as a whole, where it read both: lines of the other stream's decoder, which looks
 * at the first packets at least, are left out, and so is what it says of our own pipes.
 */
export function complaints(log: string, info: MediaInfo, kind: 'video' | 'audio'): string {
  const other = kind === 'video' ? info.audio : info.video
  const codec = other?.codec.replace(/[^\w]/g, '')
  const about = new RegExp(`^\\[(${codec}|[av]ist#0:${other?.index}/\\w+|dec:${codec}${kind === 'audio' ? '|NULL' : ''}) @|stream #0:${other?.index}\\b`)
  let left = false
  return log
    .split(/[\r\n]+/)
    .filter((line) => {
      if (/^\s*Last message repeated/.test(line)) return !left
      left = ofOutputs.test(line) || (other !== null && about.test(line))
      return !left
    })
    .join('\n')
}
