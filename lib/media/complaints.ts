import type { MediaInfo } from './probe.ts'

/**
 * What ffmpeg said of one of a plan's streams or of the file as a whole, where it read both: lines of the other stream's decoder, which looks
 * at the first packets at least, are left out.
 */
export function complaints(log: string, info: MediaInfo, kind: 'video' | 'audio'): string {
  const other = kind === 'video' ? info.audio : info.video
  if (other === null) return log
  const codec = other.codec.replace(/[^\w]/g, '')
  const about = new RegExp(`^\\[(${codec}|[av]ist#0:${other.index}/\\w+|dec:${codec}${kind === 'audio' ? '|NULL' : ''}) @|stream #0:${other.index}\\b`)
  let left = false
  return log
    .split(/[\r\n]+/)
    .filter((line) => {
      if (/^\s*Last message repeated/.test(line)) return !left
      left = about.test(line)
      return !left
    })
    .join('\n')
}
