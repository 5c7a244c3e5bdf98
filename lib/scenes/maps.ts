import type { SceneDataset } from '../datasets/scenes.ts'

/** The map of a shape at (x, y), as if it sounded. */
export function shapeMap({ x, y }: { readonly x: number; readonly y: number }, height: number, width: number): Float32Array {
  const sigma = height / 10
  const axis = (length: number, at: number): Float64Array => Float64Array.from({ length }, (_, i) => Math.exp(-0.5 * ((i + 0.5 - at) / sigma) ** 2))
  const [rows, columns] = [axis(height, y), axis(width, x)]
  return Float32Array.from({ length: height * width }, (_, i) => rows[Math.floor(i / width)]! * columns[i % width]!)
}

/** The mean of maps of one size. */
export function averageMap(maps: readonly Float32Array[]): Float32Array {
  return Float32Array.from(maps[0]!, (_, i) => maps.reduce((sum, map) => sum + map[i]!, 0) / maps.length)
}

/** The mean of the true maps of all scenes: where the sound would be looked for by one who only hears. */
export async function meanTrueMap(dataset: SceneDataset): Promise<Float32Array> {
  const sum = new Float64Array((await dataset.describe(0)).target.data.length)
  for (let index = 0; index < dataset.length; index++) {
    const { data } = (await dataset.describe(index)).target
    for (let i = 0; i < sum.length; i++) sum[i]! += data[i]!
  }
  return Float32Array.from(sum, (value) => value / dataset.length)
}

/** Whether a map is higher at one of several places than at each of the others. Places are in pixels of a picture of the map's size. */
export function isHighestAt(
  map: Float32Array,
  [height, width]: readonly [number, number],
  places: readonly (readonly [x: number, y: number])[],
  chosen: number,
): boolean {
  const within = (value: number, length: number): number => Math.min(Math.max(Math.floor(value), 0), length - 1)
  const values = places.map(([x, y]) => map[within(y, height) * width + within(x, width)]!)
  return values.every((value, i) => i === chosen || value < values[chosen]!)
}
