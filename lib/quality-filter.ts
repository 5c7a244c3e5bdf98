import { checkList, checkNumber, checkInteger, reading } from './checks/options.ts'
import { invalidArgument } from './errors.ts'
import type { QualityRegion, QualityRegions } from './quality-regions.ts'

/**
 * Quality regions as a filter graph for ffmpeg 4.2 or later, with its filter `addroi`, which libx264 and libx265 obey (not where their adaptive
 * quantisation is off): `ffmpeg -i clip.mp4 -filter_complex_script FILE -map '[v]' -map '0:a?' -c:a copy -c:v libx264 -b:v 500k out.mp4`. The frames of each
 * segment go their own way and are joined again, which takes them to come at a constant rate. Of a part of a video it counts frames from the part's first:
 * `ffmpeg -ss 2 -to 4 -i clip.mp4 -filter_complex_script FILE …`. It reads no video: the regions have all that it needs.
 *
 * @param regions - what `qualityRegions` gave, or data of that form
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function qualityFilter(regions: QualityRegions): string {
  return reading('regions', 'what qualityRegions() gave', () => {
    const { size, start, segments } = (regions ?? {}) as QualityRegions
    if (start !== undefined) checkNumber('regions.start', start, 0, 1e9)
    const [height, width] = checkList('regions.size', size, '[height, width]', 2, 2) as number[]
    let [begin, next] = [0, 0]
    const parts = checkList('regions.segments', segments, 'a list of segments', 1, 1 << 20).map((one, i) => {
      const name = `regions.segments[${i}]`
      const { frame, frames, regions: inside } = (one ?? {}) as QualityRegions['segments'][number]
      // A part begins where it begins.
      if (i === 0 && start !== undefined) begin = next = checkInteger(`${name}.frame`, frame, 0)
      if (frame !== next) throw invalidArgument(`${name}.frame`, `${next}, the first frame after the segment before`, frame)
      next += checkInteger(`${name}.frames`, frames, 1)
      const filters = checkList(`${name}.regions`, inside, 'a list of regions').map((region, r) =>
        addroi(`${name}.regions[${r}]`, region as QualityRegion, height!, width!),
      )
      return { last: next - begin, first: frame - begin, filters }
    })
    if (parts.length === 1) return `[0:v]${parts[0]!.filters.join(',') || 'null'}[v]\n`
    const names = parts.map((_, i) => `s${i}`)
    const lines = parts.map(
      ({ first, last, filters }, i) => `[s${i}]${[`trim=start_frame=${first}:end_frame=${last}`, 'setpts=PTS-STARTPTS', ...filters].join(',')}[r${i}];`,
    )
    return `[0:v]split=${parts.length}${names.map((name) => `[${name}]`).join('')};\n${lines.join('\n')}\n${parts.map((_, i) => `[r${i}]`).join('')}concat=n=${parts.length}[v]\n`
  })
}

function addroi(name: string, region: QualityRegion, height: number, width: number): string {
  const { x, y, width: w, height: h, offset } = region ?? {}
  checkInteger(`${name}.x`, x, 0, width - 1)
  checkInteger(`${name}.y`, y, 0, height - 1)
  checkInteger(`${name}.width`, w, 1, width - x)
  checkInteger(`${name}.height`, h, 1, height - y)
  // As a fraction: it is no decimal to ffmpeg.
  return `addroi=x=${x}:y=${y}:w=${w}:h=${h}:qoffset=${Math.round(checkNumber(`${name}.offset`, offset, -1, 1) * 1000)}/1000`
}
