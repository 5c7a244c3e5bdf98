import type { MediaInfo } from './media-info.ts'

/** Of times that run back, which ffmpeg mends for the outputs that we read. */
const ofOutputs = /^\[(out#\d+\/\w+|rawvideo|framecrc|f32le|null) @/

/** How lines are marked. */
const level = /^((?:\[[^\]]* @ [^\]]*\] )*)\[\w+\] /
const warning = /^(?:\[[^\]]* @ [^\]]*\] )*\[warning\] /

/**
 * What ffmpeg said of one of a plan's streams or of the file as a whole, where it read both: lines of the other stream's decoder, which looks
 * at the first packets at least, are left out, and so is what it says of our own pipes.
 * Warnings are left out too, where ffmpeg was told to mark them.
 */
export function complaints(log: string, info: MediaInfo, kind: 'video' | 'audio'): string {
  const other = kind === 'video' ? info.audio : info.video
  const codec = other?.codec.replace(/[^\w]/g, '')
  const about = new RegExp(`^\\[(${codec}|[av]ist#0:${other?.index}/\\w+|dec:${codec}${kind === 'audio' ? '|NULL' : ''}) @|stream #0:${other?.index}\\b`)
  let left = false
  return log
    .split(/[\r\n]+/)
    .filter((line) => {
      // The second line of a warning.
      if (line.startsWith("Consider increasing the value for the 'analyzeduration'")) return false
      if (/^\s*Last message repeated/.test(line)) return !left
      left = warning.test(line) || ofOutputs.test(line) || (other !== null && about.test(line))
      return !left
    })
    .map((line) => line.replace(level, '$1'))
    .join('\n')
}

/** Of how much ffmpeg tells: errors; of a transport stream also the warnings, one of which is that packets were lost on the way. */
export function loglevel({ format }: MediaInfo): string[] {
  return ['-loglevel', format === 'mpegts' ? 'level+warning' : 'error']
}

/** Whether ffmpeg said that the video's packets are not whole. Its decoders may say nothing of it and leave a frame out. */
export function isBroken(log: string, { video }: MediaInfo): boolean {
  return log.split('\n').some((line) => warning.test(line) && Number(/corrupt\b.* stream (?:= )?(\d+)/i.exec(line)?.[1]) === video?.index)
}
