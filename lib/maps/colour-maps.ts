import { colourTables } from './colour-tables.ts'
import { heatColours } from './heat-colours.ts'

/**
 * The colours that levels are painted in. `heat` goes from violet over red to light yellow, `magma`, `inferno` and `viridis` are as even
 * in lightness, `turbo` is a rainbow whose greatest is dark red, `grey` goes from black to white.
 */
export type ColourMapName = 'heat' | 'magma' | 'inferno' | 'viridis' | 'turbo' | 'grey'

/** All of them. */
export const colourMapNames = ['heat', 'magma', 'inferno', 'viridis', 'turbo', 'grey'] as const satisfies readonly ColourMapName[]

const tables = new Map<ColourMapName, Uint8Array>()

/** 256 RGB triplets, the least level first. */
export function colourTable(name: ColourMapName): Uint8Array {
  let table = tables.get(name)
  if (table === undefined) tables.set(name, (table = makeTable(name)))
  return table
}

function makeTable(name: ColourMapName): Uint8Array {
  if (name === 'heat') return heatColours
  if (name === 'grey') return Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3))
  return Uint8Array.from(Buffer.from(colourTables[name], 'base64'))
}
