import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { readCheckpoint } from '../../lib/checkpoint/checkpoint.ts'
import { readHeader } from '../../lib/checkpoint/safetensors.ts'
import { readFixations } from '../../lib/datasets/fixations.ts'
import { openMaps } from '../../lib/datasets/map-files.ts'
import { parseFoldList } from '../../lib/datasets/fold-lists.ts'
import { parseMat } from '../../lib/datasets/mat.ts'
import { readGrey, readRgb } from '../../lib/datasets/pictures.ts'
import { WavFile } from '../../lib/datasets/wav.ts'
import { readPictureFixations } from '../../lib/gaze/picture-fixations.ts'
import { readGaze } from '../../lib/gaze/read-gaze.ts'
import { DiffSal, type PartialDiffSalConfig } from '../../lib/index.ts'
import { extractArchive } from '../../lib/libtorch/extract.ts'
import { readRunConfig } from '../../lib/run/config.ts'
import { RunLog } from '../../lib/run/log.ts'
import { element, fixationMat, matFile, matrix, numbers, rampWav, wavFile } from '../datasets/trees.ts'
import { fakeWheel } from '../libtorch/zip.ts'
import { orderedDict, type PyCall } from '../support/pickle-writer.ts'
import { pthLegacy, pthZip, PyTensor, storage, tensor } from '../support/pth-writer.ts'
import { lightConfig } from '../support/tiny-config.ts'
import { trainingBatch, trainingConfig, trainingRun } from '../support/training.ts'
import { mutated } from './mutate.ts'
import type { Random } from './random.ts'

/** Something that is given damaged input. */
export interface Target {
  readonly name: string
  /** How often it is tried, beside others. */
  readonly weight: number
  /** One case: may succeed, or fail with a DiffSalError. */
  run(random: Random): Promise<unknown>
  /** Reads what is damaged in the cases, undamaged: it must succeed, or damage would get no further. */
  whole?(random: Random): Promise<void>
}

/** A reader of files: sound ones, damaged, are written to `folder` and read. */
function reader(
  name: string,
  suffix: string,
  folder: string,
  sound: () => Promise<readonly Uint8Array[]> | readonly Uint8Array[],
  read: (path: string, random: Random) => unknown,
  weight = 10,
): Target {
  let files: readonly Uint8Array[] | undefined
  const path = join(folder, `${name}${suffix}`)
  const given = async (bytes: Uint8Array, random: Random) => {
    await writeFile(path, bytes)
    await read(path, random)
  }
  return {
    name,
    weight,
    run: async (random) => given(mutated(random, random.one((files ??= await sound()))), random),
    async whole(random) {
      for (const bytes of (files ??= await sound())) await given(bytes, random)
    },
  }
}

/** Every reader of files that come from elsewhere. */
export function readerTargets(folder: string): Target[] {
  const skip = { faults: 'skip' } as const
  const range = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i)
  const dict = () =>
    orderedDict([
      ['a.weight', tensor(range(6), [2, 3])],
      ['b', new PyTensor(storage(range(12)), [2, 2], [1, 4], 3)],
      ['c', tensor(BigInt64Array.of(1n, 2n), [2])],
    ])
  const csv = 'viewer,start_ms,duration_ms,x,y\n1,0,200,0.5,0.5\n1,210,300,0.25,0.75\n2,0,500,1,0\n'
  const picture = (format: 'png' | 'jpeg' | 'webp' | 'tiff') =>
    sharp(Buffer.from(range(48 * 32 * 3)), { raw: { width: 48, height: 32, channels: 3 } })
      [format]()
      .toBuffer()
  const log = [
    { type: 'step', step: 1, epoch: 0, loss: 1, gradNorm: 1, lr: 1e-4, samples: 1, seconds: 1, waited: 0, rate: 1, remaining: 1 },
    { type: 'epoch', epoch: 0, steps: 1, loss: 1, seconds: 1 },
    {
      type: 'validation',
      step: 1,
      epoch: 0,
      scores: { mean: { cc: null }, videos: { a: { cc: 1 } }, undefinedCount: { cc: 1 }, frames: 1 },
      best: true,
      seconds: 1,
    },
  ]
  return [
    {
      name: 'mat-packed',
      weight: 10,
      // Damaged before it is packed, which damage to the file would hardly get through.
      async run(random) {
        const plain = mutated(random, random.one(matrices()))
        const packed = deflateSync(plain)
        const compressed = Buffer.concat([numbers('u32', [15, packed.length]), packed])
        await parseMat(matFile([compressed]), 'a.mat')
      },
    },
    reader('mat', '.mat', folder, () => [fixationMat(12, 16, [[1, 2]]), matFile(matrices()), matFile(matrices(), { compress: true })], readFixations),
    reader(
      'wav',
      '.wav',
      folder,
      () => [rampWav(1), wavFile(2, 8000, 16, Buffer.alloc(400)), wavFile(1, 8000, 24, Buffer.alloc(300), { extensible: true })],
      async (path) => {
        const file = await WavFile.open(path)
        await file?.read(-3, 900)
      },
    ),
    reader(
      'fold-list',
      '.txt',
      folder,
      () => [Buffer.from('V1_Speech1 250 25.00\nV2 101 29.97\n'), Buffer.from('\ufeffa video\t10 24\r\n')],
      async (path) => parseFoldList(await readFile(path, 'utf8'), path),
    ),
    reader(
      'gaze',
      '.csv',
      folder,
      () => [Buffer.from(csv), Buffer.from('viewer,time_ms,x,y\na,0,0.1,0.2\na,4,0.2,0.2\n'), Buffer.from('viewer,frame,x,y\na,0,0.1,0.2\n')],
      (path) => readGaze(path, { rate: 25 }),
    ),
    reader(
      'gaze-packed',
      '.csv.gz',
      folder,
      () => [gzipSync(csv)],
      (path) => readGaze(path, { rate: 25 }),
      4,
    ),
    reader(
      'gaze-tobii',
      '.tsv',
      folder,
      () => [Buffer.from(tobiiLab), Buffer.from(`\ufeff${tobiiLab}`, 'utf16le'), Buffer.from(tobiiStudio)],
      (path, random) => readGaze(path, { fixations: random.one(['given', 'none']), video: 'clip.mp4' }),
    ),
    reader(
      'gaze-eyelink',
      '.asc',
      folder,
      () => [Buffer.from(eyeLink)],
      (path, random) =>
        readGaze(path, random.chance(0.5) ? {} : { fixations: { method: 'idt' }, screen: { width: 1920, height: 1080, widthCm: 53, distanceCm: 60 } }),
    ),
    reader(
      'gaze-json',
      '.json',
      folder,
      () => [
        Buffer.from('[{"viewer":"a","time_ms":0,"x":0.5,"y":0.5},{"viewer":"a","time_ms":4,"x":0.25,"y":1}]'),
        Buffer.from('{"viewer":["a","b"],"time_s":[0,0.5],"x":[0.5,0.25],"y":[0.5,0]}'),
      ],
      (path) => readGaze(path),
    ),
    reader(
      'npy',
      '.npy',
      folder,
      () => [npy('<f4', [3, 2, 4], Buffer.alloc(96, 1)), npy('|u1', [2, 4], Buffer.alloc(8)), npy('<f8', [1, 1, 2], Buffer.alloc(16))],
      async (path) => {
        for (const video of await openMaps(path))
          for await (const { map } of video.maps())
            if (map.data.length !== map.shape[0]! * map.shape[1]!) throw new RangeError(`a map of ${map.shape.join(' × ')} has ${map.data.length} values`)
      },
    ),
    reader(
      'picture-fixations',
      '.json',
      folder,
      () => [
        Buffer.from(
          JSON.stringify({
            '1.jpg': [
              [1, 0.5, 0.5, 10],
              ['b', 1, 0, 5],
            ],
            '2.jpg': [],
          }),
        ),
      ],
      (path) => readPictureFixations(path, skip),
    ),
    reader(
      'picture',
      '.png',
      folder,
      async () => [await picture('png'), await picture('jpeg'), await picture('webp'), await picture('tiff')],
      async (path, random) => {
        if (random.chance(0.3)) await readFixations(path)
        else if (random.chance(0.5)) await readGrey(path)
        else await readRgb(path, [8, 8])
      },
    ),
    reader('pth-zip', '.pth', folder, () => [pthZip(dict())], readCheckpoint, 15),
    reader('pth-legacy', '.pth', folder, () => [pthLegacy(dict())], readCheckpoint, 15),
    reader(
      'pth-load',
      '.pth',
      folder,
      async () => [pthZip(await stateDict(folder)), pthLegacy(await stateDict(folder))],
      (path) => refusedOrDisposed(path, { size: lightConfig.size, normGroups: lightConfig.normGroups }),
      2,
    ),
    reader('safetensors', '.safetensors', folder, () => [safetensors()], readCheckpoint, 10),
    reader(
      'weights',
      '.safetensors',
      folder,
      async () => [await savedWeights(folder)],
      (path) => refusedOrDisposed(path),
      4,
    ),
    reader(
      'training-checkpoint',
      '.safetensors',
      folder,
      async () => [await savedTraining(folder)],
      async (path) => (await DiffSal.resume(path, { threads: 1, device: 'cpu' })).model.dispose(),
      3,
    ),
    reader('run-config', '.json', folder, async () => Promise.all(exampleConfigs().map((path) => readFile(path))), readRunConfig),
    reader(
      'run-log',
      '.jsonl',
      folder,
      () => [Buffer.from(log.map((event) => `${JSON.stringify(event)}\n`).join(''))],
      async (path) => (await RunLog.open(path, 1)).close(),
      5,
    ),
    reader(
      'wheel',
      '.whl',
      folder,
      () => [fakeWheel()],
      (path) => extractArchive(path, join(folder, 'unpacked')),
      5,
    ),
  ]
}

const tobiiLab = [
  [
    'Recording timestamp [μs]',
    'Participant name',
    'Gaze point X [DACS px]',
    'Gaze point Y [DACS px]',
    'Eye movement type',
    'Eye movement type index',
    'Fixation point X [DACS px]',
    'Fixation point Y [DACS px]',
    'Presented Media name',
    'Recording resolution width [px]',
    'Recording resolution height [px]',
  ],
  ['2000000', 'P01', '555', '540', 'Fixation', '2', '560', '540', 'clip.avi', '1920', '1080'],
  ['2010000', 'P01', '565', '540', 'Fixation', '2', '560', '540', 'clip.avi', '1920', '1080'],
  ['2020000', 'P01', '700', '540', 'Saccade', '1', '', '', 'clip.avi', '1920', '1080'],
]
  .map((row) => row.join('\t'))
  .join('\r\n')

const tobiiStudio = [
  ['ParticipantName', 'MediaName', 'MediaWidth', 'MediaHeight', 'RecordingTimestamp', 'GazePointIndex', 'GazePointX (MCSpx)', 'GazePointY (MCSpx)'],
  ['P02', 'clip.avi', '800', '600', '3', '1', '400', '300'],
  ['P02', 'clip.avi', '800', '600', '20', '2', '200', '150'],
]
  .map((row) => row.join('\t'))
  .join('\n')

const eyeLink = [
  '** CONVERTED FROM p.edf',
  'MSG\t1000 DISPLAY_COORDS 0 0 1919 1079',
  'MSG\t1001 TRIALID 0',
  'START\t1002 \tLEFT\tSAMPLES\tEVENTS',
  'SAMPLES\tGAZE\tLEFT\tRATE\t 500.00\tTRACKING\tCR',
  'MSG\t1005 !V TRIAL_VAR video clip.avi',
  'MSG\t1090 -10 SYNCTIME',
  '1100\t  960.0\t  540.0\t  784.0\t...',
  'SFIX L   1100',
  ...Array.from({ length: 60 }, (_, i) => `${1102 + 2 * i}\t  960.0\t  540.0\t  784.0\t...`),
  '1224\t   .\t   .\t    0.0\t...',
  'EFIX L   1100\t1220\t122\t  960.0\t  540.0\t    784',
  'END\t1230 \tSAMPLES\tEVENTS\tRES\t  30\t  30',
].join('\n')

function npy(descr: string, shape: readonly number[], data: Buffer): Buffer {
  const header = Buffer.from(`${`{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`.padEnd(117)}\n`)
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), numbers('u16', [header.length]), header, data])
}

function matrices(): Buffer[] {
  return [
    matrix('eyeMap', [3, 4], 9, [element(2, Buffer.from([0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]))]),
    matrix('x', [2, 3], 6, [element(9, numbers('f64', [1, 0, 2, 0, 3, 250]))]),
    matrix('s', [3, 3], 5, [element(5, numbers('i32', [1, 0, 2])), element(5, numbers('i32', [0, 1, 1, 3])), element(9, numbers('f64', [4, 5, 6]))]),
    matrix('n', [1, 2], 14, [element(12, Buffer.alloc(16))]),
  ]
}

function safetensors(): Buffer {
  const header = Buffer.from(
    JSON.stringify({
      __metadata__: { a: 'b' },
      x: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] },
      y: { dtype: 'U8', shape: [3], data_offsets: [16, 19] },
    }),
  )
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, header, Buffer.alloc(19)])
}

async function refusedOrDisposed(path: string, config?: PartialDiffSalConfig): Promise<void> {
  await (await DiffSal.load(path, { threads: 1, device: 'cpu', config })).dispose()
}

/** A network's weights as PyTorch has them. */
async function stateDict(folder: string): Promise<PyCall> {
  const path = join(folder, 'sound.safetensors')
  await writeFile(path, await savedWeights(folder))
  const [{ tensors }, bytes] = [await readHeader(path), await readFile(path)]
  return orderedDict(
    [...tensors].map(([name, { shape, begin, end }]) => [name, tensor(new Float32Array(Uint8Array.from(bytes.subarray(begin, end)).buffer), shape)]),
  )
}

/** Weights without their checksum, which would refuse all damage before it is met. */
async function savedWeights(folder: string): Promise<Buffer> {
  const path = join(folder, 'sound.safetensors')
  await using model = await DiffSal.create(lightConfig, { seed: 1, threads: 1, device: 'cpu' })
  await model.save(path)
  return withoutChecksum(await readFile(path))
}

async function savedTraining(folder: string): Promise<Buffer> {
  const path = join(folder, 'sound-training.safetensors')
  await using model = await DiffSal.create(trainingConfig, { ...trainingRun, device: 'cpu' })
  const trainer = model.trainer({ seed: 1 })
  await trainer.step(trainingBatch(1))
  await trainer.save(path)
  return withoutChecksum(await readFile(path))
}

function withoutChecksum(bytes: Buffer): Buffer {
  const at = bytes.indexOf('"diffsal_crc32"')
  if (at >= 0) bytes.write('"another_words"', at)
  return bytes
}

function exampleConfigs(): string[] {
  return execFileSync('find', ['examples', '-name', '*.json'], { encoding: 'utf8' }).trim().split('\n')
}
