import type { datasets, DiffSal, FramePrediction, Tensor } from '../lib/index.ts'
import type { GazeBench, Place } from './gaze-sets.ts'

/** A model's maps of a set, one list a row of the table. */
export type RowMaps = Map<string, FramePrediction[]>

const seed = 1

/**
 * A model's maps of a set's chosen frames: in each number of steps and, where asked for, in the first number with the mirrored clip.
 * A clip is encoded once for all numbers of steps. A frame that a video turns out not to have is left out of the set.
 */
export async function modelMaps(model: DiffSal, bench: GazeBench, steps: readonly number[], mirror: boolean): Promise<RowMaps> {
  const maps: RowMaps = new Map()
  for (const place of bench.places) {
    const clip = await clipOf(model, bench.set, bench, place)
    if (clip === undefined) {
      bench.drop(place)
      continue
    }
    using features = await model.encode(clip, { seed })
    for (const count of steps) {
      add(maps, `model, ${stepsText(count)}`, place, await model.predict(features, { steps: count, seed }))
    }
    if (!mirror) continue
    add(maps, `model, ${stepsText(steps[0]!)}, with the mirrored clip`, place, await model.predict(clip, { steps: steps[0]!, seed, mirror: true }))
  }
  return maps
}

/** Maps of the clips that have sound, in `steps` steps: with their own sound (taken from `right`), with silence, with the next video's. */
export async function soundMaps(
  model: DiffSal,
  bench: GazeBench,
  steps: number,
  right: readonly FramePrediction[],
  heard: { readonly silence: datasets.GazeSet; readonly other: datasets.GazeSet },
): Promise<RowMaps> {
  const sounding = new Set<string>()
  for (const place of bench.places) {
    if (sounding.has(place.video)) continue
    const sample = await bench.set.get(bench.index(place))
    if (sample?.audio?.samples.some((value) => value !== 0)) sounding.add(place.video)
  }
  const maps: RowMaps = new Map()
  for (const one of right) if (sounding.has(one.video)) add(maps, 'clips with sound: their own', one, one.tensor as Tensor<'float32'>)
  for (const [words, set] of [
    ['silence', heard.silence],
    ['another clip’s', heard.other],
  ] as const) {
    for (const place of bench.places) {
      if (!sounding.has(place.video)) continue
      const clip = await clipOf(model, set, bench, place)
      if (clip !== undefined) add(maps, `clips with sound: ${words}`, place, await model.predict(clip, { steps, seed }))
    }
  }
  return maps
}

/** One map for every chosen frame. */
export function constantMaps(bench: GazeBench, tensor: Tensor<'float32'>): FramePrediction[] {
  return bench.places.map((place) => ({ ...place, tensor }))
}

async function clipOf({ config }: DiffSal, set: datasets.GazeSet, bench: GazeBench, place: Place) {
  const sample = await set.get(bench.index(place))
  if (sample === null) return undefined
  return { ...(config.video && { frames: sample.frames }), audio: config.audio ? sample.audio : null }
}

function add(maps: RowMaps, row: string, { video, frame }: Place, tensor: Tensor<'float32'>): void {
  const list = maps.get(row) ?? []
  maps.set(row, list)
  list.push({ video, frame, tensor })
}

function stepsText(steps: number): string {
  return `${steps} ${steps === 1 ? 'step' : 'steps'}`
}
