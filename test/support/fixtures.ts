import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { readHeader } from '../../lib/checkpoint/safetensors.ts'
import type { DiffSalConfig, PartialDiffSalConfig } from '../../lib/config.ts'
import type { Tensor } from '../../lib/tensor.ts'
import { testInput } from './test-values.ts'

/** A network's golden case: its configuration, its inputs, and what was kept of its results. */
export interface NetworkCase {
  readonly name: string
  /** Shapes of the inputs, by their name. */
  readonly inputs: Readonly<Record<'x' | 'frames' | 'mel', number[]>>
  readonly salt: string
  /** The time of each sample of the one denoising pass. */
  readonly t: number[]
  /** Numbers of steps that were sampled with. */
  readonly steps: number[]
  readonly size: [number, number]
  /** Numbers that the network learns, buffers not counted. */
  readonly parameters: number
  readonly dialect?: DiffSalConfig['dialect']
  readonly attention?: DiffSalConfig['attention']
  readonly interaction?: DiffSalConfig['interaction']
  readonly video?: boolean
  readonly audio?: boolean
}

/** The case that holds the times of the DDIM steps, by dialect and number of steps. */
export interface ScheduleCase {
  readonly name: 'schedule'
  readonly ddim: Readonly<Record<'paper' | 'released', Record<string, [now: number, next: number][]>>>
}

const folder = new URL('../fixtures/', import.meta.url)
const readCases = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { name: string }[]
const cases = [...readCases('cases.json'), ...readCases('own-cases.json')]

function findCase<C>(name: string): C {
  const found = cases.find((each) => each.name === name)
  if (found === undefined) throw new Error(`cases.json has no case '${name}'`)
  return found as C
}

/** The network case `name`. */
export const networkCase = (name: string) => findCase<NetworkCase>(name)

/** A training's golden case: the times of each step's samples, and what the step gave. */
export interface TrainingCase extends Pick<NetworkCase, 'name' | 'inputs' | 'salt' | 'size' | 'video' | 'audio'> {
  readonly dialect: DiffSalConfig['dialect']
  readonly dropout: number
  readonly times: number[][]
  readonly losses: number[]
  readonly gradientNorms: number[]
  /** Of the `descend-*` cases; the others have the paper's. */
  readonly optimiser?: 'adam' | 'adamw'
  readonly lr?: number
  readonly eps?: number
  readonly weightDecay?: number
}

/** The training case `name`. */
export const trainingCase = (name: string) => findCase<TrainingCase>(name)

/** The golden metrics: how the maps are made stands in `make_fixtures.py`. */
export interface MetricsCase {
  readonly name: 'metrics'
  readonly rows: readonly ({
    readonly index: number
    readonly shape: readonly [number, number]
    readonly kind: 'float' | '8bit'
  } & Readonly<Record<'cc' | 'sim' | 'nss' | 'aucJudd' | 'kl', number>>)[]
}

/** The metrics' case. */
export const metricsCase = () => findCase<MetricsCase>('metrics')

/** The schedule's case. */
export const scheduleCase = () => findCase<ScheduleCase>('schedule')

/** The golden tensors of a case, by name. */
export async function readGolden(name: string): Promise<(tensor: string) => Tensor<'float32' | 'float64'>> {
  const path = fileURLToPath(new URL(`${name}.safetensors`, folder))
  const [header, bytes] = await Promise.all([readHeader(path), readFile(path)])
  return (tensor) => {
    const entry = header.tensors.get(tensor)
    if (entry === undefined) throw new Error(`${name}.safetensors has no '${tensor}', only ${[...header.tensors.keys()].join(', ')}`)
    const { dtype, shape, begin, end } = entry
    // A copy, for alignment: a header may be of any length.
    const data = new Uint8Array(bytes.subarray(begin, end)).buffer
    if (dtype === 'F32') return { dtype: 'float32', shape, data: new Float32Array(data) }
    if (dtype === 'F64') return { dtype: 'float64', shape, data: new Float64Array(data) }
    throw new Error(`'${tensor}' of ${name}.safetensors is ${dtype}: golden values are F32 or F64`)
  }
}

/** The inputs of a network case: the noise, and the conditions that its configuration takes. */
export function inputsOf(network: Pick<NetworkCase, 'inputs' | 'salt' | 'video' | 'audio'>): {
  x: Tensor<'float32'>
  conditions: { frames?: Tensor<'float32'>; mel?: Tensor<'float32'> }
} {
  const draw = (name: 'x' | 'frames' | 'mel'): Tensor<'float32'> => {
    const shape = network.inputs[name]
    return { dtype: 'float32', shape, data: testInput(name + network.salt, shape) }
  }
  return {
    x: draw('x'),
    conditions: { ...(network.video !== false && { frames: draw('frames') }), ...(network.audio !== false && { mel: draw('mel') }) },
  }
}

/** The configuration of a network case. */
export function configOf({ size, dialect, video = true, audio = true, attention, interaction }: NetworkCase): PartialDiffSalConfig {
  return { size, video, audio, ...(dialect && { dialect }), ...(attention && { attention }), ...(interaction && { interaction }) }
}
