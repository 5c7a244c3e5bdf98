import { anySignal } from '../async/abort.ts'
import { availableParallelism } from 'node:os'
import { types } from 'node:util'
import { inTurns } from '../async/in-turns.ts'
import { startAhead } from '../async/start-ahead.ts'
import { checkBoolean } from '../checks/options.ts'
import { integer, later, readOptions, signal, yes, type OptionTable } from '../checks/table.ts'
import { DiffSalError, invalidArgumentText } from '../errors.ts'
import type { BatchShare } from '../addon/native.ts'
import type { GroupHands } from '../distributed/group.ts'
import type { AudioExcerpt } from '../inputs.ts'
import { seedOption } from '../random/seed.ts'
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

/** A place in the data: that of a sample in an epoch, and where the one after it is. */
interface Place {
  readonly index: number
  readonly epoch: number
  readonly offset: number
  readonly position: DataPosition
}

/** A place whose sample is known: one, none, or one that another process has. */
interface Arrived extends Place {
  readonly sample: HeardSample | 'elsewhere' | null
}

/** A place whose sample was read, or is undefined where another process reads it. */
interface Read extends Place {
  readonly sample: HeardSample | null | undefined
}

/** How many times processes have begun to share batches. */
const begun = new WeakMap<GroupHands, number>()

/** For how long a read that has begun is waited for when nobody wants it any more, in milliseconds. */
const patience = 1000

export const batchesTable = {
  batch: { ...integer(1, 65_536), needed: true },
  seed: { ...seedOption(), needed: true },
  shuffle: yes({ usual: true }),
  position: later<DataPosition>(),
  epochs: integer(1),
  dropLast: yes({ usual: false }),
  workers: integer(1, 1024),
  ahead: integer(1, 1_000_000),
  mel: {
    check: (argument: string, value: unknown) => (typeof value === 'object' ? checkMelShape(argument, value as MelShape) : checkBoolean(argument, value)),
    usual: false as boolean | MelShape,
  },
  signal,
} satisfies OptionTable<LoadBatchesOptions>

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
  const { batch, indices, epochs, dropLast, workers, ahead, mel, signal: ending } = plan
  const silentMel = mel && (await clipMel(silence, mel))
  // Ends the reading, whichever way this function is left.
  const leaving = new AbortController()
  const stop = anySignal(ending, leaving.signal)
  const inTurn = inTurns(workers, stop)
  const hands = sharers?.hands
  const tell = hands && talkOf(hands, stop)
  const start = async (place: Place): Promise<Read> => {
    const ours = hands === undefined || place.offset % hands.worldSize === hands.rank
    return { ...place, sample: ours ? await inTurn(async () => heard(await dataset.get(place.index, place.epoch), place.index, mel)) : undefined }
  }
  const read = startAhead(placesOf(indices, epochs), start, { most: ahead, leaving, signal: stop, patience })
  let samples: HeardSample[] = []
  let places: number[] = []
  let count = 0
  let [useful, given] = [false, false]
  try {
    for await (const { epoch, position, sample } of tell ? arrivedInAll(read, batch, tell) : (read as AsyncIterable<Arrived>)) {
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
    await read.return()
  }
}

/** What each process says, by rank. */
type Talk = (word: string) => Promise<string[]>

/** A talk of its own for each time: the processes leave batches early, each at another word, and the next time none may take it for one of theirs. */
function talkOf(hands: GroupHands, signal: AbortSignal): Talk {
  const time = begun.get(hands) ?? 0
  begun.set(hands, time + 1)
  return (word) => hands.exchange(`data ${time}`, word, signal)
}

/**
 * The samples that are read, in order, of which each process reads its own: which are none they tell each other, some at a time. So all know what is in
 * a batch without having read it.
 */
async function* arrivedInAll(read: AsyncIterable<Read>, batch: number, tell: Talk): AsyncGenerator<Arrived, void, undefined> {
  let window: Read[] = []
  for await (const one of read) {
    window.push(one)
    if (window.length < batch && one.position.epoch === one.epoch) continue
    const all = await tell(window.map(({ sample }) => (sample ? '1' : '0')).join(''))
    for (const [i, { sample, ...place }] of window.entries()) {
      const there = all.some((each) => each[i] === '1')
      yield { ...place, sample: sample ?? (there ? 'elsewhere' : null) }
    }
    window = []
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

/** The places in the data, in order, until the last epoch ends. */
function* placesOf(indices: ShuffledIndices, epochs: number | undefined): Generator<Place, void> {
  for (;;) {
    const { epoch, offset } = indices.position
    if (epochs !== undefined && epoch >= epochs) return
    const { index, position } = indices.next()
    yield { index, epoch, offset, position }
  }
}

async function heard(sample: TrainingSample | null, index: number, mel: MelShape | undefined): Promise<HeardSample | null> {
  if (sample === null) return null
  if (sample.audio) named(index, sample, () => checkFinite(sample.audio!))
  return mel && sample.audio ? { sample, mel: await clipMel(sample.audio, mel) } : { sample }
}

/** What is not a number in a sound would be met only by the network, in an excerpt cut out of it. */
function checkFinite({ samples }: AudioExcerpt): void {
  // A sound that is none is refused by whoever takes it.
  if (!types.isFloat32Array(samples)) return
  const at = samples.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) throw invalidArgumentText('audio.samples', 'finite', `${samples[at]} at element ${at}`)
}

function checkPlan(dataset: Dataset<TrainingSample>, given: LoadBatchesOptions) {
  const { seed, shuffle, position, mel, ...options } = readOptions<LoadBatchesOptions, typeof batchesTable>('options', given, batchesTable)
  checkDataset('dataset', dataset)
  const { batch, workers = Math.min(8, availableParallelism()), ahead = Math.max(2 * batch, workers) } = options
  const indices = new ShuffledIndices(dataset.length, { seed, shuffle, position })
  const start = indices.position
  return {
    ...options,
    ...{ workers, ahead, indices },
    mel: mel === true ? {} : mel === false ? undefined : mel,
    /** Whether an epoch was gone through from its start. */
    wholeEpoch: (epoch: number) => epoch > start.epoch || start.offset === 0,
  }
}
