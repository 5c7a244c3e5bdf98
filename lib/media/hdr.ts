import { isHdr } from './colour.ts'
import { readFfmpeg } from './ffmpeg-process.ts'
import { findFfmpeg } from './ffmpeg.ts'
import { mediaError } from './local-file.ts'
import type { VideoInfo } from './media-info.ts'
import type { ReadOptions } from './opened.ts'

const commandFilters = 'zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=mobius:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p'

/**
 * Refuses a video of high dynamic range where this ffmpeg cannot bring it to a usual screen's light.
 *
 * @throws DiffSalError ERR_DIFFSAL_MEDIA
 */
export async function checkHdr({ path, video }: VideoInfo, options: ReadOptions = {}): Promise<void> {
  if (!isHdr(video.colour) || (await canToneMap(options))) return
  const kind = video.colour.transfer === 'smpte2084' ? 'PQ' : 'HLG'
  throw mediaError(
    path,
    `is of high dynamic range (${kind}), and this ffmpeg has no filter zscale to convert it. Take an ffmpeg that has (one built with libzimg), ` +
      `or convert the file by such a one first: \`ffmpeg -i IN -vf ${commandFilters} -c:a copy OUT\``,
  )
}

async function canToneMap({ signal, stallLimit }: ReadOptions): Promise<boolean> {
  const { configuration } = await findFfmpeg()
  if (configuration.includes('--enable-libzimg') && !configuration.includes('--disable-filter')) return true
  let list = ''
  for await (const chunk of readFfmpeg(['-loglevel', 'error', '-filters'], signal, { stallLimit })) list += chunk.toString()
  return / zscale /.test(list) && / tonemap /.test(list)
}
