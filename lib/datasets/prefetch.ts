import { availableParallelism } from 'node:os'
import { types } from 'node:util'
import { unlessAborted } from '../async/abort.ts'
import { checkBoolean, checkInteger, checkOptions, orUsual } from '../checks/options.ts'
import { checkSignal } from '../checks/signal.ts'
import { DiffSalError, invalidArgumentText } from '../errors.ts'
import type { BatchShare } from '../addon/native.ts'
import type { GroupHands } from '../distributed/group.ts'
import type { AudioExcerpt } from '../inputs.ts'
import { checkMelShape, clipMel, type MelShape } from './clip-mel.ts'
import { collate, silence, type HeardSample, type SampleBatch } from './collate.ts'
import { checkDataset, type Dataset, type TrainingSample } from './dataset.ts'
import { named } from './model-batches.ts'
import { ShuffledIndices, type DataPosition } from './shuffled-indices.ts'

/** How {@link loadBatches} goes over a dataset. */
export interface LoadBatchesOptions {
  /** Samples in a batch. */
  batch: number
  /** Decides the order of every epoch. */
  seed: number
  /** false for the dataset's own order. Default true. */
  shuffle?: boolean | undefined
  /** Where to begin: `position` of the last batch that was used. Default the start. */
  position?: DataPosition | undefined
  /** Epochs in all, those before `position` included. Default: without end. */
  epochs?: number | undefined
  /** Whether an epoch's last batch is left out if it is not full. Default false. */
  dropLast?: boolean | undefined
  /** Samples that are read at the same time. Default the machine's cores, at most 8. */
  workers?: number | undefined
  /**
   * Samples that are ready or being read before they are asked for, which is what memory holds. Default two batches, at least
   * `workers`.
   */
  ahead?: number | undefined
  /**
   * Makes the log-mel slices ahead too: batches carry `mel` instead of `audio`, so that a training step has no sound to work on.
   * Give the `melShape` of the model; true is for the paper's, of 224 × 384 pixels and 16 frames. Default false.
   */
  mel?: boolean | MelShape | undefined
  /** Stops it; the pending batch rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** Which sample. */
export interface SampleName {
  /** Which video: `DIEM/chilli_plasters`. */
  readonly video: string
  /** The frame whose map it is, from 0. */
  readonly frame: number
}

/** A batch, and how to go on after it. */
export interface LoadedBatch {
  /** The samples, joined: what `Trainer.step` takes. */
  readonly batch: SampleBatch
  /** What the batch is made of. */
  readonly samples: readonly SampleName[]
  /** The epoch that it belongs to, from 0. No batch is part of two. */
  readonly epoch: number
  /** Where the next batch begins: with the seed, what a checkpoint needs. */
  readonly position: DataPosition
}

/** A batch that several processes may share. */
export interface LoadedShare extends LoadedBatch {
  /** Which of its samples are here, where they share it. */
  readonly share?: BatchShare
}

/** Who shares the batches, and the sample that stands in where a process has none of one. */
export interface Sharers {
  readonly hands: GroupHands
  readonly blank: TrainingSample
}

/** A sample on its way; undefined where another process reads it. */
interface Pending {
  readonly epoch: number
  readonly position: DataPosition
  readonly sample: Promise<HeardSample | null> | undefined
}

/** A place in the data whose sample is known: one, none, or one that another process has. */
interface Arrived {
  readonly epoch: number
  readonly position: DataPosition
  readonly sample: HeardSample | 'elsewhere' | null
}

/** For how long a read that has begun is waited for when nobody wants it any more, in milliseconds. */
const patience = 1000

const known = ['batch', 'seed', 'shuffle', 'position', 'epochs', 'dropLast', 'workers', 'ahead', 'mel', 'signal'] as const

/**
 * A dataset's samples in batches, in an order that the seed decides, read ahead of whoever uses them: pictures and sounds are decoded
 * on libuv's threads (UV_THREADPOOL_SIZE, 4 where it is not set), log-mel slices on one of the addon's, while the caller trains. The
 * order does not depend on what is ready first; a sample that is null is passed over and the batch filled with the next one. Leaving the
 * loop stops the reading; for reads that have begun it waits, but not longer than a second.
 *
 * @throws DiffSalError, at the batch that it concerns, what the dataset throws; ERR_DIFFSAL_INVALID_ARGUMENT for bad options and for a
 * dataset that has no sample, or gives no batch in an epoch.
 */
export function loadBatches(dataset: Dataset<TrainingSample>, options: LoadBatchesOptions): AsyncGenerator<LoadedBatch, void, undefined> {
  return loadShare(dataset, options, undefined)
}

/**
 * As {@link loadBatches}, for one of several processes, whose options are the same: the batches are those of one process alone, and each reads and
 * gives its part of every one.
 */
export async function* loadShare(
  dataset: Dataset<TrainingSample>,
  options: LoadBatchesOptions,
  sharers: Sharers | undefined,
): AsyncGenerator<LoadedShare, void, undefined> {
  const plan = checkPlan(dataset, options)
  const { batch, indices, epochs, dropLast, mel, signal } = plan
  const silentMel = mel && (await clipMel(silence, mel))
  const stopped = new AbortController()
  const reader = new Reader(dataset, indices, plan, stopped.signal, sharers?.hands)
  let samples: HeardSample[] = []
  let places: number[] = []
  let count = 0
  let [useful, given] = [false, false]
  try {
    for await (const { epoch, position, sample } of sharers ? arrivedInAll(reader, batch, sharers.hands, signal) : arrived(reader, signal)) {
      if (sample !== null && sample !== 'elsewhere') {
        samples.push(sample)
        places.push(count)
      }
      if (sample !== null) count += 1
      useful ||= sample !== null
      const epochEnds = position.epoch > epoch
      const full = count === batch
      if (full || (epochEnds && count > 0 && !dropLast)) {
        const names = samples.map(({ sample: { video, frame } }) => ({ video, frame }))
        given = true
        const joined = collate(samples.length > 0 ? samples : [{ sample: sharers!.blank, ...(silentMel && { mel: silentMel }) }], silentMel)
        yield { batch: joined, samples: names, epoch, position, ...(sharers && { share: { whole: count, samples: places } }) }
      }
      if (full || epochEnds) [samples, places, count] = [[], [], 0]
      if (!epochEnds) continue
      // Or it would go round for ever.
      if (!given && plan.wholeEpoch(epoch)) throw nothingIn(dataset.length, useful ? batch : undefined)
      ;[useful, given] = [false, false]
      if (epochs !== undefined && position.epoch >= epochs) return
    }
  } finally {
    stopped.abort()
    await reader.idle()
  }
}

/** The samples in order, each when it is read. */
async function* arrived(reader: Reader, signal: AbortSignal | undefined): AsyncGenerator<Arrived, void, undefined> {
  for (;;) {
    signal?.throwIfAborted()
    const pending = reader.next()
    if (pending === undefined) return
    yield { ...pending, sample: await unlessAborted(pending.sample!, signal) }
  }
}

/**
 * The samples in order, of which each process reads its own: which are none they tell each other, some at a time. So all know what is in
 * a batch without having read it.
 */
async function* arrivedInAll(reader: Reader, batch: number, hands: GroupHands, signal: AbortSignal | undefined): AsyncGenerator<Arrived, void, undefined> {
  for (;;) {
    signal?.throwIfAborted()
    const window: Pending[] = []
    for (let last: Pending | undefined; window.length < batch && !(last && last.position.epoch > last.epoch); ) {
      last = reader.next()
      if (last === undefined) break
      window.push(last)
    }
    if (window.length === 0) return
    const own = await unlessAborted(Promise.all(window.map(({ sample }) => sample)), signal)
    const all = await hands.exchange('data', own.map((sample) => (sample ? '1' : '0')).join(''), signal)
    for (const [i, { epoch, position }] of window.entries()) {
      const there = all.some((each) => each[i] === '1')
      yield { epoch, position, sample: own[i] ?? (there ? 'elsewhere' : null) }
    }
  }
}

/** The error for an epoch without a batch; `batch` where there were samples, but fewer than that. */
function nothingIn(length: number, batch: number | undefined): DiffSalError {
  const why =
    batch === undefined
      ? `all its ${length} samples were passed over, because their maps are all zero or their files damaged`
      : `it has fewer samples than a batch of ${batch}, and 'dropLast' leaves out those that are not full`
  return new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `The dataset gives no batch: ${why}.`, { argument: 'dataset' })
}

/** Reads samples in order, some at a time, and only so far ahead. */
class Reader {
  readonly #dataset: Dataset<TrainingSample>
  readonly #indices: ShuffledIndices
  readonly #epochs: number | undefined
  readonly #workers: number
  readonly #ahead: number
  readonly #mel: MelShape | undefined
  readonly #stopped: AbortSignal
  readonly #group: GroupHands | undefined
  readonly #queue: Pending[] = []
  /** Reads that wait for their turn. */
  readonly #waiting: (() => void)[] = []
  readonly #active = new Set<Promise<unknown>>()
  #admitted = 0

  constructor(
    dataset: Dataset<TrainingSample>,
    indices: ShuffledIndices,
    { epochs, workers, ahead, mel }: { epochs: number | undefined; workers: number; ahead: number; mel: MelShape | undefined },
    stopped: AbortSignal,
    group: GroupHands | undefined,
  ) {
    this.#group = group
    this.#dataset = dataset
    this.#indices = indices
    this.#epochs = epochs
    this.#workers = workers
    this.#ahead = ahead
    this.#mel = mel
    this.#stopped = stopped
  }

  /** The next sample; undefined after the last epoch. */
  next(): Pending | undefined {
    this.#fill()
    const pending = this.#queue.shift()
    this.#fill()
    return pending
  }

  /** Resolves when nothing is being read any more, or what is takes so long that it may never end. */
  async idle(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const tired = new Promise<void>((resolve) => (timer = setTimeout(resolve, patience)))
    await Promise.race([Promise.allSettled(this.#active), tired])
    clearTimeout(timer)
  }

  #fill(): void {
    while (this.#queue.length < this.#ahead) {
      const { epoch } = this.#indices.position
      if (this.#epochs !== undefined && epoch >= this.#epochs) return
      const { offset } = this.#indices.position
      const { index, position } = this.#indices.next()
      const ours = this.#group === undefined || offset % this.#group.worldSize === this.#group.rank
      const sample = ours ? this.#read(index, epoch) : undefined
      // Who comes to it will see what went wrong; until then nobody must.
      sample?.catch(() => undefined)
      this.#queue.push({ epoch, position, sample })
    }
  }

  async #read(index: number, epoch: number): Promise<HeardSample | null> {
    await new Promise<void>((begin) => {
      this.#waiting.push(begin)
      this.#admit()
    })
    const sample = this.#make(index, epoch)
    this.#active.add(sample)
    try {
      return await sample
    } finally {
      this.#active.delete(sample)
      this.#admitted -= 1
      this.#admit()
    }
  }

  async #make(index: number, epoch: number): Promise<HeardSample | null> {
    const sample = await this.#dataset.get(index, epoch)
    if (sample === null) return null
    if (sample.audio) named(index, sample, () => checkFinite(sample.audio!))
    return this.#mel && sample.audio ? { sample, mel: await clipMel(sample.audio, this.#mel) } : { sample }
  }

  #admit(): void {
    while (!this.#stopped.aborted && this.#admitted < this.#workers && this.#waiting.length > 0) {
      this.#admitted += 1
      this.#waiting.shift()!()
    }
  }
}

/** What is not a number in a sound would be met only by the network, in an excerpt cut out of it. */
function checkFinite({ samples }: AudioExcerpt): void {
  // A sound that is none is refused by whoever takes it.
  if (!types.isFloat32Array(samples)) return
  const at = samples.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) throw invalidArgumentText('audio.samples', 'finite', `${samples[at]} at element ${at}`)
}

function checkPlan(dataset: Dataset<TrainingSample>, options: LoadBatchesOptions) {
  const { batch, seed, shuffle, position, epochs, dropLast, workers, ahead, mel = false, signal } = checkOptions('options', options, known)
  checkDataset('dataset', dataset)
  const size = checkInteger('batch', batch, 1, 65_536)
  const readers = checkInteger('workers', orUsual(workers, Math.min(8, availableParallelism())), 1, 1024)
  const indices = new ShuffledIndices(dataset.length, {
    seed,
    ...(shuffle !== undefined && { shuffle }),
    ...(position !== undefined && { position }),
  })
  const start = indices.position
  return {
    batch: size,
    indices,
    epochs: epochs === undefined ? undefined : checkInteger('epochs', epochs, 1),
    dropLast: checkBoolean('dropLast', orUsual(dropLast, false)),
    workers: readers,
    ahead: checkInteger('ahead', orUsual(ahead, Math.max(2 * size, readers)), 1, 1_000_000),
    mel: typeof mel === 'object' && mel !== null ? checkMelShape('mel', mel) : checkBoolean('mel', mel) ? {} : undefined,
    signal: checkSignal(signal),
    /** Whether an epoch was gone through from its start. */
    wholeEpoch: (epoch: number) => epoch > start.epoch || start.offset === 0,
  }
}
