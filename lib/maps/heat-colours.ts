/**
 * The colours of an overlay: 256 RGB triplets from a dark violet over red and orange to a light yellow. The path is drawn in
 * OKLCH, where equal steps look equal: lightness rises evenly all the way, so a higher value is also lighter to a colour-blind
 * eye and in a grey print, while the hue turns from 300° to 105° and the chroma is what the screen has, up to 0.19.
 */
export const heatColours: Uint8Array = table()

function table(): Uint8Array {
  const colours = new Uint8Array(256 * 3)
  for (let i = 0; i < 256; i++) {
    const v = i / 255
    colours.set(fromOklch(0.28 + 0.67 * v, 0.19, 300 + 165 * v), i * 3)
  }
  return colours
}

/** The nearest sRGB colour of this lightness and hue (degrees): the chroma gives way until the colour exists. */
function fromOklch(lightness: number, chroma: number, hue: number): number[] {
  const angle = (hue * Math.PI) / 180
  for (let c = chroma; ; c -= 0.002) {
    const rgb = linearFromOklab(lightness, c * Math.cos(angle), c * Math.sin(angle))
    if (c > 0.002 && rgb.some((value) => value < 0 || value > 1)) continue
    return rgb.map((value) => Math.round(255 * gamma(Math.min(Math.max(value, 0), 1))))
  }
}

/** Björn Ottosson's OKLab, to linear sRGB. */
function linearFromOklab(lightness: number, a: number, b: number): [number, number, number] {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ]
}

/** sRGB's transfer curve. */
function gamma(value: number): number {
  return value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055
}
