import { DiffSalError } from '../errors.ts'
import { readFfmpeg } from './ffmpeg-process.ts'
import { findFfmpeg } from './ffmpeg.ts'

/** Refuses an ffmpeg that has not a filter. @throws DiffSalError ERR_DIFFSAL_FFMPEG_MISSING */
export async function checkFilter(name: string, since: string): Promise<void> {
  let list = ''
  for await (const chunk of readFfmpeg(['-loglevel', 'error', '-filters'])) list += chunk.toString()
  if (list.includes(` ${name} `)) return
  const { path, version } = await findFfmpeg()
  throw new DiffSalError(
    'ERR_DIFFSAL_FFMPEG_MISSING',
    `This ffmpeg ('${path}', ${version}) has no filter '${name}', which came with version ${since}. Install a newer one, or set DIFFSAL_FFMPEG to one.`,
  )
}
