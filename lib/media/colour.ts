/** How the numbers of a picture mean colours, as its file tells. Names are ffmpeg's; what it does not know is undefined. */
export interface Colour {
  /** ffmpeg's name: `yuv420p10le`. */
  readonly pixelFormat: string
  /** `pc`: full range, 0 … 255; `tv`: limited, 16 … 235. */
  readonly range?: 'tv' | 'pc'
  readonly matrix?: string
  readonly primaries?: string
  readonly transfer?: string
}

/** The code points of H.273, which ffmpeg's options take as numbers whatever names a version has for them. */
const matrices: Readonly<Record<string, number>> = {
  bt709: 1,
  fcc: 4,
  bt470bg: 5,
  smpte170m: 6,
  smpte240m: 7,
  ycgco: 8,
  bt2020nc: 9,
  bt2020c: 10,
}
const primaries: Readonly<Record<string, number>> = {
  bt709: 1,
  bt470m: 4,
  bt470bg: 5,
  smpte170m: 6,
  smpte240m: 7,
  film: 8,
  bt2020: 9,
  smpte428: 10,
  smpte431: 11,
  smpte432: 12,
  ebu3213: 22,
}
const transfers: Readonly<Record<string, number>> = {
  bt709: 1,
  bt470m: 4,
  bt470bg: 5,
  smpte170m: 6,
  smpte240m: 7,
  linear: 8,
  log100: 9,
  log316: 10,
  'iec61966-2-4': 11,
  bt1361e: 12,
  'iec61966-2-1': 13,
  'bt2020-10': 14,
  'bt2020-12': 15,
  smpte2084: 16,
  smpte428: 17,
  'arib-std-b67': 18,
}

/** Reads the colours of a stream as ffmpeg lists it: `h264 (High), yuv420p(tv, bt709, top first), 640x360`. */
export function readColour(text: string): Colour {
  const match = /, (\w+)(?:\((.*?)\))?, \d+x\d+/.exec(text)
  const details = match?.[2]?.split(', ') ?? []
  const range = details.find((one) => one === 'tv' || one === 'pc')
  const named = details.map((one) => one.split('/')).find((names) => names.length === 3 || names[0]! in matrices || names[0]! in transfers)
  const [matrix, primary = matrix, transfer = matrix] = named ?? []
  const pixelFormat = match?.[1] ?? 'unknown'
  return {
    pixelFormat,
    ...(pixelFormat.startsWith('yuvj') ? { range: 'pc' as const } : range !== undefined && { range }),
    ...(matrix !== undefined && matrix in matrices && { matrix }),
    ...(primary !== undefined && primary in primaries && { primaries: primary }),
    ...(transfer !== undefined && transfer in transfers && { transfer }),
  }
}

/** Whether a stream as ffmpeg lists it is made of fields. */
export function readInterlaced(text: string): boolean {
  return /, (\w+)\((.*, )?(top|bottom) (coded )?first\b.*?\), \d+x\d+/.test(text)
}

/** High dynamic range: values that stand for more light than a usual screen gives. */
export function isHdr({ transfer }: Colour): boolean {
  return transfer === 'smpte2084' || transfer === 'arib-std-b67'
}

/** Red, green and blue as they are, or a palette of them. */
export function isRgb({ pixelFormat }: Colour): boolean {
  return /^(rgb|bgr|argb|abgr|0rgb|0bgr|gbr|pal8|x2rgb|x2bgr|mono)/.test(pixelFormat)
}

/** Whether pixels may be transparent. A palette may hold such colours. */
export function hasAlpha({ pixelFormat }: Colour): boolean {
  return /^(yuva|rgba|bgra|argb|abgr|gbrap|ya8|ya16|pal8)/.test(pixelFormat)
}

/** ffmpeg's name of the matrix for its filter `scale`; undefined where the file does not tell and 601 is assumed. */
export function scaleMatrix({ matrix }: Colour): string | undefined {
  if (matrix === 'bt2020nc' || matrix === 'bt2020c') return 'bt2020'
  if (matrix === 'bt470bg' || matrix === 'smpte170m') return 'bt601'
  return matrix === 'ycgco' ? undefined : matrix
}

/** How a video is to be written so that it looks as one of these colours: as they are; limited bt709 for HDR and for RGB. */
export function writtenColour(colour: Colour): Colour {
  if (isHdr(colour) || isRgb(colour)) {
    return { pixelFormat: 'yuv420p', range: 'tv', matrix: 'bt709', primaries: 'bt709', transfer: 'bt709' }
  }
  const { matrix, ...rest } = colour
  return {
    ...rest,
    ...(matrix !== undefined && matrix !== 'ycgco' && { matrix }),
    // The old name of full range is what every ffmpeg from 4 to 7 takes without converting.
    pixelFormat: colour.range === 'pc' ? 'yuvj420p' : 'yuv420p',
  }
}

/** ffmpeg's output options that write the tags. */
export function tagOptions(colour: Colour): string[] {
  return Object.entries(tags(colour)).flatMap(([name, value]) => [`-${name === 'range' ? 'color_range' : name}`, String(value)])
}

/** The filter that gives the tags to frames: ffmpeg 7 takes them from there and from nowhere else. */
export function tagFilter(colour: Colour): string | undefined {
  const set = Object.entries(tags(colour)).map(([name, value]) => `${name}=${value}`)
  return set.length === 0 ? undefined : `setparams=${set.join(':')}`
}

function tags({ range, matrix, primaries: primary, transfer }: Colour): Record<string, number> {
  return {
    ...(range !== undefined && { range: range === 'pc' ? 2 : 1 }),
    ...(matrix !== undefined && { colorspace: matrices[matrix]! }),
    ...(primary !== undefined && { color_primaries: primaries[primary]! }),
    ...(transfer !== undefined && { color_trc: transfers[transfer]! }),
  }
}

/**
 * The filters that bring HDR to a usual screen's light, as gamma-coded RGB or YUV of bt709. What is up to 100 cd/m² bright keeps its
 * contrast; what is brighter is pressed below white.
 *
 * @param to `rgb`: red, green, blue of full range; `yuv`: limited yuv420p
 */
export function toneMapFilters({ range, matrix, primaries: primary, transfer }: Colour, to: 'rgb' | 'yuv'): string[] {
  const from = [
    `tin=${transfers[transfer!]}`,
    `min=${matrices[matrix ?? 'bt2020nc'] ?? 9}`,
    `pin=${primaries[primary ?? 'bt2020'] ?? 9}`,
    `rin=${range === 'pc' ? 1 : 0}`,
  ]
  return [
    `zscale=t=8:npl=100:${from.join(':')}`,
    'format=gbrpf32le',
    'zscale=p=1',
    'tonemap=mobius:desat=0',
    to === 'rgb' ? 'zscale=t=1' : 'zscale=t=1:m=1:r=0',
    to === 'rgb' ? 'format=gbrp' : 'format=yuv420p',
  ]
}
