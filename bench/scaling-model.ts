/** What carries the messages of a training, by its makers' figures. Rates are bytes a second in one direction, of one process. */
export interface Carrier {
  /** Between processes of one machine. */
  readonly within: number
  /** Between machines. */
  readonly between: number
  /** Seconds until a message's first byte has arrived, within a machine and between two. */
  readonly delays: readonly [within: number, between: number]
}

/** What a step sends: a flat tensor with the gradients, and some small ones with BatchNorm's statistics. The `bytes` of these are one process's; a message holds those of all. */
export interface StepMessages {
  readonly gradients: number
  readonly statistics: { readonly messages: number; readonly bytes: number }
}

/** How many processes there are, and how many of them a machine has. */
export interface Cluster {
  readonly processes: number
  readonly perMachine: number
}

/** Seconds in which a ring adds up a tensor: each process sends it twice but for one share, and each share goes round twice. */
export function ringSeconds(bytes: number, processes: number, rate: number, delay: number): number {
  return processes < 2 ? 0 : 2 * (processes - 1) * (bytes / processes / rate + delay)
}

/** Seconds in which a large tensor is added up: in shares within each machine, and each share between the machines. */
export function largeSeconds(bytes: number, { processes, perMachine }: Cluster, { within, between, delays }: Carrier): number {
  const machines = Math.ceil(processes / perMachine)
  const here = Math.min(processes, perMachine)
  return ringSeconds(bytes, here, within, delays[0]) + ringSeconds(bytes / here, machines, between, delays[1])
}

/** Seconds in which a small tensor is added up: to one process by a tree and back, so that its delays count and not its bytes. */
export function smallSeconds(bytes: number, { processes, perMachine }: Cluster, { within, between, delays }: Carrier): number {
  const levels = (count: number): number => Math.ceil(Math.log2(Math.max(1, count)))
  const here = levels(Math.min(processes, perMachine))
  const there = levels(Math.ceil(processes / perMachine))
  return 2 * (here * (delays[0] + bytes / within) + there * (delays[1] + bytes / between))
}

/** What a step takes. */
export interface StepSeconds {
  readonly gradients: number
  readonly statistics: number
  /** Nothing hidden: a step waits for each message. */
  readonly whole: number
  /** Clips a second of all processes, of what as many would make without messages. */
  readonly efficiency: number
  /** The same where the gradients are sent while the backward pass, two thirds of the computing, still goes on. */
  readonly hiddenEfficiency: number
}

/** Computes a step's seconds from those of the computing and from what is sent. */
export function stepSeconds(computing: number, { gradients, statistics }: StepMessages, cluster: Cluster, carrier: Carrier): StepSeconds {
  const large = largeSeconds(gradients, cluster, carrier)
  const small = statistics.messages * smallSeconds((cluster.processes * statistics.bytes) / statistics.messages, cluster, carrier)
  const left = Math.max(0, large - (2 / 3) * computing)
  return {
    gradients: large,
    statistics: small,
    whole: computing + large + small,
    efficiency: computing / (computing + large + small),
    hiddenEfficiency: computing / (computing + left + small),
  }
}

/** What a step of the paper's network sends: its 76,914,922 parameters as float32, and what `bench:scaling` counts for its BatchNorms. */
export const paperMessages: StepMessages = { gradients: 4 * 76_914_922, statistics: { messages: 14, bytes: 23_096 } }

/** NVLink 4 between the H100s of a machine and one 400 Gb/s adapter for each of them, by their data sheets; the delays are assumed. */
export const fabric: Carrier = { within: 450e9, between: 50e9, delays: [5e-6, 10e-6] }

/** Sums by Gloo over TCP, through the host's memory: assumed, for it depends on the machine. */
export const tcp: Carrier = { within: 1.5e9, between: 1.5e9, delays: [50e-6, 50e-6] }

/** A row of the table of docs/scaling.md. */
export interface ScalingRow extends StepSeconds {
  readonly carrier: 'NVLink and 400 Gb/s' | 'TCP'
  readonly processes: number
  readonly computing: number
}

/** Seconds of a GPU's computing in a step of five clips: 7.1 TFLOP at 300 and at 100 TFLOP/s. */
const computings = [0.024, 0.071]

/** The table of docs/scaling.md: 4 H100s in one machine, and 64 in eight. */
export function scalingTable(): ScalingRow[] {
  const rows = (carrier: ScalingRow['carrier'], by: Carrier, perMachine: number): ScalingRow[] =>
    [4, 64].flatMap((processes) =>
      computings.map((computing) => ({ carrier, processes, computing, ...stepSeconds(computing, paperMessages, { processes, perMachine }, by) })),
    )
  // Gloo's ring knows no machines.
  return [...rows('NVLink and 400 Gb/s', fabric, 8), ...rows('TCP', tcp, 64)]
}
