import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Command } from 'commander'
import { gazeBaselines } from '../../datasets/gaze-baselines.ts'
import { openGaze, readTracker, trackerFile } from '../../datasets/gaze-dataset.ts'
import { halfAgainstHalf, type Halves } from '../../datasets/gaze-halves.ts'
import { openMaps, type VideoMaps } from '../../datasets/map-files.ts'
import { mapsByFrame, recordedTruth, type ScoredTruth } from '../../datasets/score-truth.ts'
import { invalidArgumentText } from '../../errors.ts'
import { filesMean } from '../../files/meaning.ts'
import { readGazeWithin } from '../../gaze/read-gaze.ts'
import { RowBudget } from '../../gaze/row-budget.ts'
import { shareOfDegrees } from '../../gaze/screen.ts'
import type { TrackerOptions } from '../../gaze/tracker-options.ts'
import { stemOf } from '../../gaze/video-name.ts'
import { firstFrameTime } from '../../media/first-frame-time.ts'
import { mediaError } from '../../media/local-file.ts'
import { probe } from '../../media/probe.ts'
import { rationalValue } from '../../media/rational.ts'
import { bootstrap } from '../../metrics/bootstrap.ts'
import { score, type FramePrediction, type Scores } from '../../metrics/score.ts'
import { scoresText, type ScoredDataset } from '../../report/scores.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { printJson, printText } from '../terminal/print.ts'
import { integer, number } from './flags.ts'

interface ScoreFlags {
  readonly maps: string
  readonly truth?: string
  readonly fixations?: string
  readonly tracker?: string
  readonly video?: string
  readonly rate?: number
  readonly stride: number
  readonly sigma?: number
  readonly sigmaDegrees?: number
  readonly frames: number
  readonly blur: boolean
  readonly resize: boolean
  readonly json?: true
}

const notes = `
--maps is FILE.npy (N, H, W) or a folder of numbered PNGs of one video, as 'diffsal predict --maps' writes them, or a folder of NAME.npy and NAME/000000.png.
--truth is a folder of videos with gaze beside them, which are called as the maps are. With --fixations, a table of gaze of one video,
--truth may be left out, or hold that video's density maps, laid out as --maps. What tables do not tell themselves (units, the screen) stands in 'tracker.json' in
that folder. The last table is the ceiling: maps of half of the viewers, against the other half.`

/** `diffsal score`: the scores of maps that are there already. */
export function scoreCommand(): Command {
  return new Command('score')
    .description(
      'score maps of any origin: CC, SIM, NSS, AUC-Judd, KL, sAUC and IG with 95 % intervals, beside what half of the viewers tell of the other half',
    )
    .requiredOption('--maps <path>', 'the maps: FILE.npy, a folder of PNGs, or a folder of these')
    .option('--truth <dir>', 'videos with gaze beside them; with --fixations, density maps')
    .option('--fixations <file>', 'a table of gaze of one video: .csv, .tsv, .json, .asc, .xls')
    .option('--tracker <file>', "what the tables do not tell, JSON (default: 'tracker.json' beside them)")
    .option('--video <file>', 'the video, with --fixations: its rate and size are known from it')
    .option('--rate <fps>', 'frames a second, with --fixations and without --video', number)
    .option('--stride <n>', 'the maps of a .npy are of every n-th frame', integer(1), 1)
    .option('--sigma <x>', 'the Gaussian on each fixation, as a share of the width (default: 1/40)', number)
    .option('--sigma-degrees <x>', 'the same in degrees, where tracker.json has the screen', number)
    .option('--frames <n>', 'frames of each video for the ceiling, the centre Gaussian and the other videos of sAUC', integer(1), 12)
    .option('--no-blur', 'do not smooth the maps first, as published scores do')
    .option('--no-resize', 'refuse maps of another size than the truth')
    .option('--json', 'print one JSON object on standard output')
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action(scoreMaps)
}

async function scoreMaps(flags: ScoreFlags): Promise<void> {
  const { truth, fixations, frames, blur, resize } = flags
  if (truth === undefined && fixations === undefined) throw invalidArgumentText('--truth', 'a folder of videos with gaze, or --fixations a table', 'neither')
  if (flags.sigma !== undefined && flags.sigmaDegrees !== undefined) throw invalidArgumentText('--sigma', 'left out with --sigma-degrees', 'both')
  const maps = await filesMean('input', () => openMaps(flags.maps))
  const set = await filesMean('input', () => (fixations === undefined ? folderTruth(truth!, flags) : tableTruth(fixations, maps, flags)))
  const named = matched(maps, set.videos)
  const gazed = {
    ...set,
    videos: [...named.keys()],
    frames: (video: string) => set.frames(video),
    viewers: (video: string) => set.viewers(video),
    points: (video: string, frame: number) => set.points(video, frame),
    truth: (...of: Parameters<ScoredTruth['truth']>) => set.truth(...of),
  }
  const against = await filesMean('input', () => gazeBaselines(gazed, { frames }))
  const scores = await filesMean('input', () => score(predictions(named, flags.stride), gazed, { ...against, blur, resize }))
  if (scores.frames === 0)
    throw invalidArgumentText(
      '--maps',
      'maps of frames at which someone looked',
      `${[...named.values()].reduce((sum, { count }) => sum + count, 0)} maps of other frames`,
    )
  const ceiling = await filesMean('input', () => halfAgainstHalf(gazed, { frames, ...against }))
  const tables: ScoredDataset[] = [{ title: basename(flags.maps), scores, intervals: bootstrap(scores) }]
  if (Object.keys(ceiling.videos).length > 0) tables.push(ceilingTable(ceiling))
  if (flags.json) printJson({ maps: flags.maps, blur, resize, datasets: tables })
  else printText(scoresText(tables))
}

function ceilingTable(halves: Halves): ScoredDataset {
  const none = Object.fromEntries(Object.keys(halves.mean).map((name) => [name, 0])) as Scores['undefinedCount']
  return { title: 'half of the viewers', scores: { ...halves, undefinedCount: none }, intervals: bootstrap(halves) }
}

/** The maps by the truth's videos: each has a video of its name, or there is one of each. */
function matched(maps: readonly VideoMaps[], videos: readonly string[]): Map<string, VideoMaps> {
  if (maps.length === 1 && videos.length === 1) return new Map([[videos[0]!, maps[0]!]])
  return new Map(
    maps.map((one) => {
      const found = videos.filter((video) => stemOf(video) === one.name)
      if (found.length === 1) return [found[0]!, one]
      const names = videos
        .slice(0, 8)
        .map((video) => `'${stemOf(video)}'`)
        .join(', ')
      throw invalidArgumentText('--maps', `maps that are called as the truth's videos (${names})`, `'${one.name}'`)
    }),
  )
}

async function* predictions(maps: ReadonlyMap<string, VideoMaps>, stride: number): AsyncGenerator<FramePrediction> {
  for (const [video, one] of maps) {
    for await (const { place, map } of one.maps()) yield { video, frame: one.numbered ? place : place * stride, tensor: map }
  }
}

async function folderTruth(root: string, { tracker, sigma, sigmaDegrees }: ScoreFlags): Promise<ScoredTruth> {
  const width = sigmaDegrees === undefined ? sigma : { degrees: sigmaDegrees }
  return openGaze(root, { split: 'test', ...(width !== undefined && { sigma: width }), ...(tracker !== undefined && { tracker: await readTracker(tracker) }) })
}

async function tableTruth(file: string, maps: readonly VideoMaps[], flags: ScoreFlags): Promise<ScoredTruth> {
  const { stride, truth } = flags
  const [one, ...more] = maps as [VideoMaps, ...VideoMaps[]]
  if (more.length > 0)
    throw invalidArgumentText(
      '--maps',
      'maps of one video with --fixations; with several, put each table beside its video and give --truth',
      `those of ${maps.length}`,
    )
  const info = flags.video === undefined ? undefined : await probe(flags.video)
  const shown = info?.video
  if (shown === null) throw mediaError(flags.video!, 'has no video in it')
  const begin = info && shown ? await firstFrameTime({ ...info, video: shown }) : 0
  const rate = flags.rate ?? (shown && rationalValue(shown.rate))
  if (rate === undefined) throw invalidArgumentText('--rate', "the video's frames a second, or --video FILE, with --fixations", 'nothing')
  const told = await trackerBeside(file, flags.tracker)
  const tracker = { ...(shown && { picture: { width: shown.width, height: shown.height } }), ...told }
  const gaze = await readGazeWithin(new RowBudget(), file, { video: flags.video ?? one.name, ...tracker, rate }, begin * 1000)
  const frameOf = (from: VideoMaps) => (place: number) => (from.numbered ? place : place * stride)
  const given = truth === undefined ? [] : await openMaps(truth)
  const own = given.length === 1 ? given[0] : given.find(({ name }) => name === one.name)
  if (truth !== undefined && own === undefined) throw invalidArgumentText('--truth', `a folder with density maps of '${one.name}'`, `'${truth}'`)
  const { maps: densities, size } = await mapsByFrame(own ?? one, frameOf(own ?? one))
  return recordedTruth({
    ...{ video: one.name, gaze, rate, begin, size, densities: own && densities },
    frames: Math.max(1, Math.ceil((gaze.end / 1000 - begin) * rate)),
    sigma: flags.sigmaDegrees === undefined ? (flags.sigma ?? 1 / 40) : shareOfDegrees(flags.sigmaDegrees, tracker.screen!, tracker.picture),
  })
}

async function trackerBeside(file: string, given: string | undefined): Promise<TrackerOptions> {
  if (given !== undefined) return readTracker(given)
  const beside = join(file, '..', trackerFile)
  const there = await stat(beside).then(
    () => true,
    () => false,
  )
  return there ? readTracker(beside) : {}
}
