import { InvalidArgumentError, Option } from 'commander'
import { invalidArgument } from '../../errors.ts'
import { colourMapNames, type ColourMapName } from '../../maps/colour-maps.ts'
import type { MapLook } from '../../maps/paint.ts'
import type { MapScale } from '../../maps/scale.ts'
import { fraction } from './flags.ts'
import type { PlannedOutput } from './outputs.ts'

/** How `predict` is asked to paint. */
export interface LookFlags {
  readonly scale: MapScale
  readonly colourMap?: ColourMapName
  readonly opacity?: number
  readonly contours?: readonly number[] | true
  readonly sideBySide?: true
}

/** The lines that are drawn where none are named. */
const usualContours = [0.25, 0.5, 0.75]

/** The options of {@link LookFlags}. */
export function lookOptions(): Option[] {
  return [
    new Option(
      '--scale <scale>',
      'what the colours stand for: video (the same in all its frames, and what is flat stays cold), each (each map from its own least to its greatest), or two values with a comma between',
    )
      .argParser(scale)
      .default('video'),
    new Option('--colour-map <name>', 'the colours (default: heat with --overlay, else grey)').choices(colourMapNames),
    new Option('--opacity <x>', 'with --overlay, how opaque the greatest heat is, 0 to 1 (default: 0.75)').argParser(fraction),
    new Option('--contours [levels]', 'draw lines too, at levels above 0 and below 1 with commas between (default: 0.25,0.5,0.75)').argParser(levels),
    new Option('--side-by-side', 'the video as it is on the left, the maps or the overlay on the right'),
  ]
}

/** The look, where the outputs can have it. */
export function lookOf({ scale, colourMap, opacity, contours, sideBySide }: LookFlags, outputs: readonly PlannedOutput[]): MapLook {
  const video = outputs.find(({ kind }) => kind === 'overlay' || kind === 'map-video')
  if (sideBySide && video === undefined) throw invalidArgument('--side-by-side', 'left out where no video is written; name one by -o', true)
  if (opacity !== undefined && video?.kind !== 'overlay') throw invalidArgument('--opacity', 'left out without --overlay', opacity)
  return {
    scale,
    ...(colourMap !== undefined && { colourMap }),
    ...(opacity !== undefined && { opacity }),
    ...(contours !== undefined && { contours: contours === true ? usualContours : contours }),
    ...(sideBySide && { sideBySide }),
  }
}

function scale(text: string): MapScale {
  if (text === 'video' || text === 'each') return text
  const [least, greatest, ...more] = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  if (more.length === 0 && Number.isFinite(least) && Number.isFinite(greatest) && least! < greatest!) return [least!, greatest!]
  throw new InvalidArgumentError('It must be video, each, or two numbers with a comma between, the second above the first: 0,1.')
}

function levels(text: string): number[] {
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  if (values.length <= 64 && values.every((value) => value > 0 && value < 1)) return values
  throw new InvalidArgumentError('It must be numbers above 0 and below 1 with commas between: 0.25,0.5,0.75.')
}
