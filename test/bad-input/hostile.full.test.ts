import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { types } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as api from '../../lib/index.ts'
import { DiffSal, DiffSalError, Features, Trainer, type SaliencyDataset, type Tensor } from '../../lib/index.ts'
import { Malice, spoilt } from '../support/hostile.ts'
import { temporaryPath } from '../support/temporary.ts'
import { trainingBatch, trainingConfig } from '../support/training.ts'

// Every export is called with every argument spoilt in every place. Whatever comes of it, it is a result or a DiffSalError: no error of another
// class, no rejection that nobody hears of, and no crash, which would end this file's process.

let model: DiffSal
let features: Features
let trainer: Trainer

let disposed = true

/** A folder of gaze, and a training that can be gone on with. */
const gazeFolder = temporaryPath('gaze')
const saved = temporaryPath('training.safetensors')

/** What was disposed in the middle of a call is made again. */
async function revive(): Promise<void> {
  if (!disposed) return
  await model?.dispose()
  model = await DiffSal.create(trainingConfig, { seed: 1, threads: 1 })
  features = await model.encode(clip())
  trainer = model.trainer({ seed: 1, ema: 0.9, keepGradients: true })
  disposed = false
}

function sabotage(): void {
  features.dispose()
  void trainer.dispose()
  void model.dispose()
  disposed = true
}

const map = (): Tensor<'float32'> => ({ dtype: 'float32', shape: [1, 1, 32, 64], data: new Float32Array(2048).map((_, i) => (i % 31) / 31) })
const fixations = (shape = [1, 1, 32, 64]): Tensor<'uint8'> => ({ dtype: 'uint8', shape, data: new Uint8Array(2048).map((_, i) => Number(i % 97 === 0)) })
const { frames, mel } = trainingBatch(1)
const clip = () => ({ frames: { ...frames, data: frames.data.slice() }, mel: { ...mel, data: mel.data.slice() } })
const pictures = (): Tensor<'uint8'> => ({ dtype: 'uint8', shape: [8, 32, 64, 3], data: new Uint8Array(8 * 32 * 64 * 3) })
const audio = () => ({ samples: new Float32Array(16_000).map((_, i) => Math.sin(i)), sampleRate: 16_000 })

/** A dataset is its owner's code, whose errors are passed on: it is replaced, but not spoilt inside. */
class OwnDataset implements SaliencyDataset {
  readonly length = 1
  readonly videos = ['v']
  async get() {
    return { frames: pictures(), audio: audio(), target: { ...map(), shape: [1, 32, 64] }, fixations: fixations([1, 32, 64]), video: 'v', frame: 4 }
  }
  async truth() {
    return { density: { ...map(), shape: [32, 64] }, fixations: fixations([32, 64]) }
  }
}
const dataset = (): SaliencyDataset => new OwnDataset()

/** Of a map in place of gaze. */
const gazeSet = { videos: ['v'], frames: () => 1, points: () => undefined, truth: async () => ({ density: { ...map(), shape: [32, 64] } }) }

/** So is what is iterated over. */
async function* own<T>(...values: T[]): AsyncGenerator<T> {
  yield* values
}

const nowhere = join(temporaryPath('absent'), 'absent.mp4')
const signal = new AbortController().signal
/** Ends a call once its arguments are checked, with an error as it is looked for here. */
const aborted = AbortSignal.abort(new DiffSalError('ERR_DIFFSAL_MEDIA', 'enough'))

function isEmpty(options: unknown): boolean {
  if (typeof options !== 'object' || options === null) return options === undefined
  return !types.isProxy(options) && Object.keys(options).length === 0
}

/** Goes over all that a generator gives. */
async function drain(values: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of values);
}

interface Export {
  /** Calls it. */
  call(...args: never[]): unknown
  /** Arguments that it takes. */
  args(): unknown[]
}

const exported = (call: Export['call'], args: () => unknown[]): Export => ({ call, args })
const { datasets, distributed, maps, metrics, presets, schedule } = api
const screen = () => ({ width: 800, height: 600, widthCm: 40, heightCm: 30, distanceCm: 60, video: 'stretch' })

const exports: Readonly<Record<string, Export>> = {
  'DiffSal.create': exported(
    async (...args: []) => (await DiffSal.create(...args)).dispose(),
    () => [
      { ...trainingConfig, size: [32, 64], audioEncoder: { widths: [[8], [8], [16], [16]] }, normalisation: { mean: [0, 0, 0] } },
      { seed: 1, pretrained: [nowhere], device: 'cpu', threads: 1, precision: 'float32' },
    ],
  ),
  'DiffSal.load': exported(
    async (...args: []) => (await DiffSal.load(...args)).dispose(),
    () => [nowhere, { config: { mamStages: 4 }, device: 'cpu', threads: 1, precision: 'float32', signal }],
  ),
  'DiffSal#save': exported(
    (...args: [never]) => model.save(...args),
    () => [nowhere, { dtype: 'float32', signal }],
  ),
  'DiffSal#predict': exported(
    (...args: [never]) => model.predict(...args),
    () => [
      clip(),
      {
        steps: 1,
        eta: 0,
        seed: [1],
        noise: map(),
        priority: 'high',
        signal,
        onProgress: () => undefined,
        estimates: true,
        uncertainty: undefined,
        activity: true,
        mirror: false,
      },
    ],
  ),
  'DiffSal#predict, of features': exported(
    (options: never) => model.predict(features, options),
    () => [{ steps: 1, seed: 1, uncertainty: 2 }],
  ),
  'DiffSal#predict, of pictures and sounds': exported(
    (input: never) => model.predict(input, { steps: 1 }),
    () => [{ frames: pictures(), audio: [audio()] }],
  ),
  'DiffSal#predictVideo': exported(
    (...args: [never]) => drain(model.predictVideo(...args)),
    () => [
      nowhere,
      {
        stride: 1,
        batch: 1,
        shots: { threshold: 30 },
        priority: 'low',
        videoOnly: false,
        mirror: true,
        steps: 1,
        eta: 0,
        seed: 1,
        signal,
        onProgress: () => undefined,
      },
    ],
  ),
  'DiffSal#predictVideos': exported(
    (...args: [never, never]) => drain(model.predictVideos(...args)),
    () => [
      [nowhere],
      {
        output: nowhere,
        outputs: (place: string) => `${place}.txt`,
        write: () => Promise.resolve(0),
        settings: 'of a test',
        jobs: 1,
        shard: '1/1',
        stride: 1,
        steps: 1,
        seed: 1,
        signal,
      },
    ],
  ),
  'DiffSal#reframe': exported(
    (...args: [never]) => model.reframe(...args),
    () => [nowhere, { aspect: '9:16', keep: 0.9, speed: 1, acceleration: 2, stride: 1, shots: { threshold: 30 }, seed: 1, signal }],
  ),
  'DiffSal#report': exported(
    (...args: [never]) => model.report(...args),
    () => [
      nowhere,
      {
        areas: [{ name: 'left', x: 0, y: 0, width: 0.5, height: 1 }],
        look: 2,
        regions: 3,
        shots: { threshold: 30 },
        output: `${nowhere}.json`,
        stride: 1,
        seed: 1,
        signal,
      },
    ],
  ),
  'DiffSal#thumbnails': exported(
    (...args: [never]) => model.thumbnails(...args),
    () => [nowhere, { count: 2, aspect: 1, apart: 1, format: 'png', stride: 1, seed: 1, signal }],
  ),
  'DiffSal#qualityRegions': exported(
    (...args: [never]) => model.qualityRegions(...args),
    () => [nowhere, { strength: 0.1, every: 2, stride: 1, shots: true, seed: 1, signal }],
  ),
  'DiffSal#listen': exported(
    (...args: [never]) => model.listen(...args),
    () => [nowhere, { frames: 2, seed: 1, signal }],
  ),
  'DiffSal#exportOnnx': exported(
    (...args: [never]) => model.exportOnnx(...args),
    () => [`${nowhere}.onnx`, { signal }],
  ),
  'DiffSal#evaluate': exported(
    (...args: [never]) => model.evaluate(...args),
    () => [dataset(), { steps: 1, eta: 0, seed: 1, mirror: true, batch: 1, workers: 1, limit: 1, signal, onProgress: () => undefined }],
  ),
  'DiffSal#encode': exported(
    async (...args: [never]) => (await model.encode(...args)).dispose(),
    () => [clip(), { signal, seed: [1], priority: 'low' }],
  ),
  'DiffSal#denoise': exported(
    (x: never, t: never, options: never) => model.denoise(x, t, features, options),
    () => [map(), [5], { signal, priority: 'high' }],
  ),
  'DiffSal#denoise, of features': exported(
    (given: never) => model.denoise(map(), 5, given),
    () => [undefined],
  ),
  'DiffSal#parameters': exported(
    () => model.parameters(),
    () => [],
  ),
  'DiffSal#parameter': exported(
    (name: never) => model.parameter(name),
    () => ['decoder_net.conv_in.bias'],
  ),
  'DiffSal#setParameter': exported(
    (...args: [never, never]) => model.setParameter(...args),
    () => ['decoder_net.conv_in.bias', { dtype: 'float32', shape: [16], data: new Float32Array(16) }],
  ),
  'DiffSal#clone': exported(
    async (...args: []) => (await model.clone(...args)).dispose(),
    () => [{ device: 'cpu', threads: 1, precision: 'float32' }],
  ),
  'DiffSal#trainer': exported(
    (options: never) => model.trainer(options).dispose(),
    () => [
      {
        lr: 1,
        optimiser: 'adam',
        betas: [0.9, 0.9],
        clip: null,
        loss: 'kl',
        terms: { cc: 1 },
        schedule: { kind: 'multistep', milestones: [1, 2] },
        frozen: ['audio_net.'],
        groups: [{ names: ['*.bias'], lrScale: 0.5, weightDecay: 0, frozen: false }],
        times: [{ first: 1 }],
        seed: 1,
        keepGradients: true,
      },
    ],
  ),
  'DiffSal#memory': exported(
    () => model.memory(),
    () => [],
  ),
  'DiffSal#dispose': exported(sabotage, () => []),
  'Features#tensors': exported(
    () => features.tensors(),
    () => [],
  ),
  'Features#dispose': exported(sabotage, () => []),
  'DiffSal.resume': exported(
    async (...args: [never]) => (await DiffSal.resume(...args)).dispose(),
    () => [nowhere, { device: 'cpu', threads: 1, precision: 'float32', signal }],
  ),
  'Trainer#fit': exported(
    (...args: [never, never]) => drain(trainer.fit(...args)),
    () => [
      dataset(),
      {
        epochs: 1,
        batch: 1,
        validate: { dataset: dataset(), every: 1, steps: 1 },
        checkpointDir: undefined,
        earlyStop: { patience: 1, minDelta: 0, by: 'cc' },
        tensorboard: undefined,
        workers: 1,
        seed: 1,
        dropLast: false,
        signal: aborted,
      },
    ],
  ),
  'Trainer#step': exported(
    (...args: [never]) => trainer.step(...args),
    () => [{ ...clip(), target: map(), fixations: fixations(), t: [5], noise: map() }, { signal }],
  ),
  'Trainer#gradients': exported(
    async (...args: [never]) => {
      if (trainer.steps === 0) await trainer.step({ ...clip(), target: map() })
      return trainer.gradients(...args)
    },
    () => [{ names: ['decoder_net.', '*.bias'], signal }],
  ),
  'Trainer#gradientNorms': exported(
    () => trainer.gradientNorms(),
    () => [],
  ),
  'Trainer#lr': exported(
    (rate: never) => void (trainer.lr = rate),
    () => [0.1],
  ),
  'Trainer#save': exported(
    (...args: [never]) => trainer.save(...args),
    () => [nowhere, { extra: { a: [1, { b: 'c' }] }, signal }],
  ),
  'Trainer#saveAverage': exported(
    (...args: [never]) => trainer.saveAverage(...args),
    () => [nowhere, { signal }],
  ),
  'Trainer#dispose': exported(sabotage, () => []),
  countParameters: exported(api.countParameters, () => [{ size: [32, 64], videoEncoder: { downscaleAt: [1, 2, 3] } }]),
  devices: exported(api.devices, () => []),
  cropVideo: exported(api.cropVideo, () => [
    nowhere,
    reframing(),
    '/nowhere/out.mp4',
    { preview: true, videoTrack: 1, audioTrack: 1, stallLimit: 60, signal: aborted, onProgress: () => undefined },
  ]),
  cropFilter: exported(api.cropFilter, () => [reframing()]),
  qualityFilter: exported(api.qualityFilter, () => [
    { size: [9, 16], segments: [{ frame: 0, frames: 2, regions: [{ x: 0, y: 0, width: 2, height: 2, offset: 0.1 }] }] },
  ]),
  findShots: exported(
    (...args: [never]) => drain(api.findShots(...args)),
    () => [nowhere, { threshold: 30, fade: 10, flash: 0.1, videoTrack: 1, stallLimit: 60, signal: aborted, onProgress: () => undefined }],
  ),
  writeViewPage: exported(
    (...args: [never, never, never]) => api.writeViewPage(...args),
    () => [
      join(nowhere, '..', 'page.html'),
      nowhere,
      own({ frame: 0, time: 0, tensor: map() }),
      { beside: true, videoTrack: 1, audioTrack: 1, stallLimit: 60, network: false, spoolLimit: 9, signal: aborted, onProgress: () => undefined },
    ],
  ),
  logMel: exported(api.logMel, () => [audio().samples, { sampleRate: 16_000 }]),
  melSlices: exported(api.melSlices, () => [audio().samples, { sampleRate: 16_000, size: [16, 32], slots: 5 }]),
  setLogger: exported(
    (logger: never) => (api.setLogger(logger), api.setLogger(() => undefined)),
    () => [() => undefined],
  ),
  tensor: exported(api.tensor, () => ['float32', [2, 2], new Float32Array(4)]),
  trainingLoss: exported(api.trainingLoss, () => [map(), map(), { loss: 'kl', terms: { nss: 1 }, fixations: fixations() }]),
  'distributed.join': exported(
    async (...args: [never]) => (await distributed.join(...args)).leave(),
    () => [{ backend: 'gloo', rank: 0, worldSize: 1, master: '127.0.0.1:29511', timeout: 2, configuration: { lr: [1] }, signal: aborted }],
  ),
  'distributed.Group': exported(
    (...args: [never]) => new (distributed.Group as unknown as new (...args: unknown[]) => object)(...args),
    () => [1],
  ),
  'schedule.betas': exported(schedule.betas, () => [10]),
  'schedule.alphaBars': exported(schedule.alphaBars, () => [10]),
  'schedule.ddimTimes': exported(schedule.ddimTimes, () => [4, { T: 10, dialect: 'paper' }]),
  'schedule.ddimStep': exported(schedule.ddimStep, () => [map(), map(), 5, 1, { eta: 1, noise: map(), T: 10 }]),
  'metrics.cc': exported(metrics.cc, () => [map(), map()]),
  'metrics.sim': exported(metrics.sim, () => [map(), map()]),
  'metrics.kl': exported(metrics.kl, () => [map(), map()]),
  'metrics.nss': exported(metrics.nss, () => [map(), fixations()]),
  'metrics.aucJudd': exported(metrics.aucJudd, () => [map(), fixations()]),
  'metrics.shuffledAuc': exported(metrics.shuffledAuc, () => [map(), fixations(), fixations()]),
  'metrics.informationGain': exported(metrics.informationGain, () => [map(), fixations(), map()]),
  'metrics.centreBias': exported(metrics.centreBias, () => [3, 4]),
  'metrics.centreGaussian': exported(metrics.centreGaussian, () => [3, 4, { height: 0.2, width: 0.2 }]),
  'metrics.fitCentreGaussian': exported(
    (given: never) => metrics.fitCentreGaussian(own(given) as never),
    () => [map()],
  ),
  'metrics.meanMap': exported(
    (given: never) => metrics.meanMap(own(given) as never),
    () => [map()],
  ),
  'metrics.bootstrap': exported(metrics.bootstrap, () => [
    { mean: { cc: 1 }, videos: { v: { cc: 1 } } },
    { resamples: 2, level: 0.5, seed: 1 },
  ]),
  'metrics.score': exported(metrics.score, () => [own({ video: 'v', frame: 1, tensor: map() }), dataset()]),
  'metrics.score, of a map': exported(
    (prediction: never, truth: never) => metrics.score(own(prediction), { truth: () => truth }),
    () => [
      { video: 'v', frame: 1, tensor: map() },
      { density: { ...map(), shape: [32, 64] }, fixations: fixations([32, 64]) },
    ],
  ),
  'DiffSal#stream': exported(
    async (options: never, frame: never, samples: never, time: never) => {
      await using stream = model.stream(options)
      await stream.pushFrame(frame, time)
      await stream.pushAudio(samples, time)
      stream.end()
    },
    () => [
      {
        fps: 25,
        sampleRate: 16_000,
        lookahead: 1,
        latency: 1,
        drop: 'oldest',
        repeat: true,
        stride: 1,
        videoOnly: false,
        steps: 1,
        eta: 0,
        seed: 1,
        stallLimit: 1,
        signal,
      },
      { ...pictures(), shape: [64, 32, 3], data: new Uint8Array(64 * 32 * 3) },
      new Float32Array(100),
      1,
    ],
  ),
  clipAt: exported(api.clipAt, () => [{ frames: pictures(), audio: audio(), fps: 25 }, 4, { clipLength: 8, gazeDelay: 0.1 }]),
  'maps.activity': exported(maps.activity, () => [[{ dtype: 'float32', shape: [1, 2, 2, 4], data: new Float32Array(16).fill(0.25) }], { size: [16, 24] }]),
  'maps.peaks': exported(maps.peaks, () => [map(), { count: 2, distance: 0.1, threshold: 0.5, size: [64, 128] }]),
  'maps.centreOfMass': exported(maps.centreOfMass, () => [map(), { size: [64, 128] }]),
  'maps.focalPoint': exported(maps.focalPoint, () => [map(), { spread: 0.05, size: [64, 128] }]),
  'maps.boxes': exported(maps.boxes, () => [map(), { mass: 0.5, least: 0.1, count: 2, size: [64, 128] }]),
  'maps.cropWindow': exported(maps.cropWindow, () => [map(), 9 / 16, { size: [64, 128] }]),
  'maps.confidence': exported(maps.confidence, () => [map(), { floor: 0.001 }]),
  'maps.resize': exported(maps.resize, () => [map(), [16, 24]]),
  'maps.split': exported(maps.split, () => [map()]),
  'maps.RunningRange': exported(
    (given: never) => new maps.RunningRange().meet(given),
    () => [map()],
  ),
  'maps.toPng': exported(maps.toPng, () => [map(), { size: [16, 24], scale: [0, 1], bits: 8 }]),
  'maps.colourise': exported(maps.colourise, () => [
    map(),
    {
      scale: 'each',
      colourMap: 'magma',
      opacity: 0.5,
      contours: [0.5],
      sideBySide: true,
      format: 'png',
      over: { ...pictures(), shape: [32, 64, 3], data: new Uint8Array(32 * 64 * 3) },
    },
  ]),
  'datasets.openMaps': exported(datasets.openMaps, () => [nowhere]),
  'datasets.shareOfDegrees': exported(datasets.shareOfDegrees, () => [1, screen(), { width: 640, height: 480 }]),
  'datasets.findFixations': exported(
    (...args: [never, never, never]) => datasets.findFixations(new datasets.GazeRecording([{ viewer: 'a', x: 0.5, y: 0.5, start: 0, duration: 9 }]), ...args),
    () => [{ method: 'ivt', velocity: 30, window: 20, minDuration: 60, gap: 75 }, screen(), { width: 640, height: 480 }],
  ),
  'datasets.findFixations, of a recording': exported(
    (given: never) => datasets.findFixations(given, { method: 'ivt' }, screen() as never),
    () => [undefined],
  ),
  'datasets.openAudioVisual': exported(datasets.openAudioVisual, () => [nowhere, ['DIEM'], { split: 'test', fold: 1, size: [32, 64], faults: 'error' }]),
  'datasets.openGaze': exported(datasets.openGaze, () => [nowhere, { size: [32, 64], gazeDelay: 0.1, faults: 'error' }]),
  'datasets.halfAgainstHalf': exported(
    (options: never) => datasets.halfAgainstHalf({ videos: [] } as never, options),
    () => [{ halvings: 1, frames: 1, seed: 1 }],
  ),
  'datasets.gazeBaselines': exported(
    (options: never) => datasets.gazeBaselines(gazeSet as never, options),
    () => [{ frames: 1, others: 1 }],
  ),
  'datasets.openDhf1k': exported(datasets.openDhf1k, () => [nowhere, { split: 'train', size: [32, 64] }]),
  'datasets.openHollywood2': exported(datasets.openHollywood2, () => [nowhere, { split: 'train', size: [32, 64] }]),
  'datasets.openUcfSports': exported(datasets.openUcfSports, () => [nowhere, { split: 'train', size: [32, 64] }]),
  'datasets.openDataset': exported(datasets.openDataset, () => ['DHF1K', nowhere, { split: 'train', size: [32, 64] }]),
  'datasets.concatDatasets': exported(
    async (given: never) => datasets.concatDatasets(given).get(0),
    () => [[dataset()]],
  ),
  'datasets.densityFromFixations': exported(datasets.densityFromFixations, () => [fixations(), 2]),
  'datasets.readGaze': exported(datasets.readGaze, () => [
    nowhere,
    { rate: 25, faults: 'error', screen: screen(), fixations: { method: 'ivt', velocity: 30 } },
  ]),
  'datasets.GazeRecording': exported(
    (look: never) => datasets.GazeRecording.join([new datasets.GazeRecording([look])]).at(0),
    () => [{ viewer: 'a', x: 0.5, y: 0.5, start: 0, duration: 9 }],
  ),
  'datasets.densityOfPoints': exported(
    (point: never, size: never, sigma: never) => datasets.densityOfPoints([point], size, sigma),
    () => [{ x: 0.5, y: 0.5 }, [3, 4], 0.1],
  ),
  'datasets.fixationMapOfPoints': exported(
    (point: never, size: never) => datasets.fixationMapOfPoints([point], size),
    () => [{ x: 0.5, y: 0.5 }, [3, 4]],
  ),
  'datasets.loadBatches': exported(
    (...args: [never, never]) => drain(datasets.loadBatches(...args)),
    () => [
      dataset(),
      {
        batch: 1,
        seed: 1,
        shuffle: true,
        position: { epoch: 0, offset: 0 },
        epochs: 1,
        dropLast: false,
        workers: 1,
        ahead: 1,
        mel: { size: [16, 32], slots: 5 },
        signal: aborted,
      },
    ],
  ),
  'datasets.renderScene': exported(datasets.renderScene, () => [
    nowhere,
    {
      index: 0,
      seconds: 0.2,
      track: undefined,
      signal: aborted,
      onProgress: () => undefined,
      seed: 1,
      shapes: [2, 3],
      hues: 3,
      cues: ['pitch'],
      size: [32, 64],
      fps: 8,
    },
  ]),
  'datasets.scoreSceneBaselines': exported(
    (scenes: never) => datasets.scoreSceneBaselines(scenes, { priorScenes: 0 }),
    () => [{ size: [32, 64], length: 1, clipLength: 2 }],
  ),
  'datasets.benchmarkScenes': exported(
    // The defaults would take a minute.
    (options: never) => (isEmpty(options) ? undefined : datasets.benchmarkScenes(model, options)),
    () => [{ seed: 1, shapes: [2, 3], hues: 3, length: 2, steps: [1], batch: 2, priorScenes: 1, pictures: 0, signal: aborted, onProgress: () => undefined }],
  ),
  'datasets.benchmarkScenes, of a model': exported(
    (given: never) => datasets.benchmarkScenes(given),
    () => [undefined],
  ),
  'datasets.followsSound': exported(
    (track: never, prediction: never) => datasets.followsSound(track, own(prediction)),
    () => [
      { fps: 8, size: [32, 64], sigma: 3, shapes: [{ kind: 'disc', hue: 0 }], frames: [{ sounding: 0, centres: [[1, 2]] }] },
      { frame: 0, tensor: map() },
    ],
  ),
  'datasets.pitchOf': exported(datasets.pitchOf, () => [0, 3]),
  'datasets.soundingScenes': exported(
    (options: never) => datasets.soundingScenes(options).describe(0),
    () => [
      { seed: 1, shapes: [2, 3], hues: 3, cues: ['pitch'], size: [32, 64], fps: 8, split: 'test', length: 2, changes: 0.5, clipLength: 2, fixations: true },
    ],
  ),
  'datasets.ShuffledIndices': exported(
    (...args: [never, never]) => new datasets.ShuffledIndices(...args).next(),
    () => [3, { seed: 1, shuffle: true, position: { epoch: 0, offset: 0 } }],
  ),
}

const reframing = () => ({ size: [90, 160], window: [90, 50], frames: [{ frame: 0, time: 0, shot: 0, x: 1, y: 0 }] })

/** Everything exported that can be called. */
function callable(): string[] {
  const classes = { DiffSal, Features, Trainer }
  const isFunction = (value: unknown): boolean => typeof value === 'function'
  const within = (name: string, holder: object): string[] => Object.entries(holder).flatMap(([key, value]) => (isFunction(value) ? [`${name}${key}`] : []))
  return [
    ...within('', api).filter((name) => name !== 'DiffSalError' && !(name in classes)),
    ...Object.entries({ datasets, distributed, maps, metrics, schedule }).flatMap(([name, holder]) => within(`${name}.`, holder)),
    ...Object.entries(classes).flatMap(([name, { prototype, ...rest }]) => {
      const methods = Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([key, { value, set }]) =>
        (isFunction(value) || set) && key !== 'constructor' ? [`${name}#${key}`] : [],
      )
      const makers = Object.getOwnPropertyNames(classes[name as keyof typeof classes]).filter((key) => isFunction((classes as never)[name][key]))
      return [...methods, ...makers.map((key) => `${name}.${key}`), ...within(`${name}.`, rest)]
    }),
  ]
}

const unheard: unknown[] = []
const hear = (reason: unknown): void => void unheard.push(reason)

beforeAll(() => {
  process.on('unhandledRejection', hear)
  api.setLogger(() => undefined)
  mkdirSync(gazeFolder)
})

beforeEach(revive)

afterAll(async () => {
  process.off('unhandledRejection', hear)
  api.setLogger(undefined)
  await model?.dispose()
})

it('there is no export that is not called here', () => {
  expect([...new Set(Object.keys(exports).map((name) => name.split(',')[0]!))].sort()).toEqual([...new Set(callable())].sort())
})

/** Options that null is a value of, and what is no option but another's data. */
const nullable = [
  /^(DiffSal#(predict|encode)|Trainer#step|clipAt).*: audio$/, // a clip without sound
  /^DiffSal#trainer: (clip|ema)$/, // none
  /^(DiffSal\.(create|load)|countParameters): (config\.)?steps$/, // what the dialect takes
  /^Trainer#save: extra/, // whatever JSON has
  /^distributed\.join: configuration/, // likewise
  /^DiffSal#predictVideos: settings$/, // likewise
  /^metrics\.bootstrap: (mean|videos)/, // scores that are NaN, as JSON writes them
  /^metrics\.score, of a map: (density|fixations)$/, // a dataset's own way to say that there is none
  /^datasets\.followsSound: (fps|sigma|shapes|frames)/, // a scene's track, of which a part is read
  /^datasets\.openGaze: heldOut$/, // looked at with the files
  /^datasets\.readGaze: fixations\./, // as findFixations checks them, once the file is read
]

/** Arguments whose options are checked where those above end before that. */
const lasting: Readonly<Record<string, () => unknown[]>> = {
  'DiffSal.create': () => [
    { ...trainingConfig, normalisation: { mean: [0, 0, 0] } },
    { seed: 1, device: 'cpu', threads: 1, precision: 'float32' },
  ],
  'DiffSal.load': () => [presets.scenes.weights, { config: { mamStages: 4 }, device: 'cpu', threads: 1, precision: 'float32', signal }],
  'DiffSal.resume': () => [saved, { device: 'cpu', threads: 1, precision: 'float32', signal }],
  'datasets.openAudioVisual': () => [nowhere, 'DIEM', { split: 'test', fold: 1, size: [32, 64], faults: 'error' }],
  'datasets.openGaze': () => [gazeFolder, { size: [32, 64], gazeDelay: 0.1, faults: 'error' }],
  'datasets.halfAgainstHalf': () => [{ halvings: 1, frames: 1, seed: 1 }],
  'datasets.scoreSceneBaselines': () => [{ size: [32, 64], length: 1, clipLength: 2 }],
}

/** Every plain object in some arguments, with the way to it. */
function plainObjects(value: unknown, way: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null || types.isProxy(value) || ArrayBuffer.isView(value)) return []
  if (Array.isArray(value)) return value.flatMap((one, i) => plainObjects(one, [...way, i]))
  if (Object.getPrototypeOf(value) !== Object.prototype || 'dtype' in value) return []
  return [way, ...Object.entries(value).flatMap(([name, one]) => plainObjects(one, [...way, name]))]
}

/** The arguments, with one more property of an object within. */
function withProperty<T extends object>(holder: T, [key, ...way]: readonly (string | number)[], name: string, value: unknown): T {
  const copy = (Array.isArray(holder) ? [...holder] : { ...holder }) as Record<string | number, unknown>
  if (key === undefined) copy[name] = value
  else copy[key] = withProperty(copy[key] as object, way, name, value)
  return copy as T
}

const iterated = ['metrics.score', 'metrics.score, of a map', 'datasets.followsSound', 'metrics.fitCentreGaussian', 'metrics.meanMap']

describe.each(Object.entries(exports))('%s', (title, { call, args }) => {
  it('gives a result or a DiffSalError, whatever comes', async () => {
    const foreign: string[] = []
    for (const { name, args: given } of spoilt(args, sabotage)) {
      await revive()
      try {
        await call(...(given as never[]))
      } catch (error) {
        // What is iterated over, and what is awaited of it, is its owner's code too.
        if (iterated.includes(title) && (error instanceof Malice || /^. is a .*proxy/.test(name))) continue
        if (!(error instanceof DiffSalError)) foreign.push(`${name}: ${error instanceof Error ? error.stack : String(error)}`)
        else if (error.code === 'ERR_DIFFSAL_INTERNAL') foreign.push(`${name}: ${error.message}`)
      }
    }
    await setTimeout(0)
    expect(foreign).toEqual([])
    expect(unheard.splice(0)).toEqual([])
  })

  it('refuses null in place of options and of each of them, and names it', async () => {
    const wrong: string[] = []
    const fresh = lasting[title] ?? args
    await revive()
    if (title === 'DiffSal.resume') await trainer.save(saved)
    const outcome = async (given: unknown[]): Promise<unknown> => {
      await revive()
      try {
        await call(...(given as never[]))
        return undefined
      } catch (error) {
        return error
      }
    }
    for (const way of plainObjects(fresh())) {
      if (way.length === 1) {
        const error = await outcome(fresh().with(way[0] as number, null))
        const refused = error instanceof DiffSalError && error.code === 'ERR_DIFFSAL_INVALID_ARGUMENT'
        if (!refused) wrong.push(`argument ${way[0]}: ${error instanceof Error ? error.message : String(error)}`)
      }
      const asked = await outcome(withProperty(fresh(), way, 'noSuchOption', 1))
      // Who refuses unknown names tells those that are known.
      const known = asked instanceof DiffSalError && asked.argument?.endsWith('noSuchOption') ? asked.expected!.replace(/^one of /, '').split(', ') : []
      const present = Object.keys(way.reduce<object>((inner, key) => (inner as never)[key], fresh()))
      for (const name of new Set([...known, ...present])) {
        const full = [...way.filter((key, i) => i > 0 && typeof key === 'string'), name].join('.')
        if (nullable.some((one) => one.test(`${title}: ${full}`))) continue
        const error = await outcome(withProperty(fresh(), way, name, null))
        const refused =
          error instanceof DiffSalError &&
          error.code === (name === 'device' ? 'ERR_DIFFSAL_DEVICE' : 'ERR_DIFFSAL_INVALID_ARGUMENT') &&
          error.message.includes(name) &&
          error.message.includes('null')
        if (!refused) wrong.push(`${full}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    expect(wrong).toEqual([])
  })
})
