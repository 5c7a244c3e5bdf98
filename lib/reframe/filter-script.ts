import type { Reframing } from './reframing.ts'

/**
 * A script for ffmpeg that cuts the window: `crop`, with a command from `sendcmd` wherever the window moves on to another whole pixel. Commands are
 * timed half an interval before their frame, where no rounding of a clock makes them late. Of a part, times count from where it begins.
 */
export function filterScript({ window: [height, width], start = 0, frames }: Reframing): string {
  const commands: string[] = []
  const place = (i: number): [number, number] => [Math.round(frames[i]!.x), Math.round(frames[i]!.y)]
  for (let i = 1; i < frames.length; i++) {
    const [[x, y], [lastX, lastY]] = [place(i), place(i - 1)]
    const moves = [...(x === lastX ? [] : [`crop x ${x}`]), ...(y === lastY ? [] : [`crop y ${y}`])]
    if (moves.length > 0) commands.push(`${((frames[i]!.time + frames[i - 1]!.time) / 2 - start).toFixed(4)} ${moves.join(', ')};`)
  }
  const crop = `crop=${width}:${height}:${place(0).join(':')}`
  return commands.length === 0 ? `${crop}\n` : `sendcmd=c='\n${commands.join('\n')}\n',\n${crop}\n`
}
