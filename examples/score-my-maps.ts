/**
 * Scores maps of any origin against one's own gaze: `FOLDER/maps/NAME/000000.png`, … beside `FOLDER/truth/NAME.mp4` with `NAME.csv`. What the tables
 * do not tell (units, the screen) stands in `FOLDER/truth/tracker.json`.
 *
 *     node score-my-maps.ts FOLDER
 */
import { join } from 'node:path'
import { datasets, metrics, type FramePrediction } from '../lib/index.ts'

const folder = process.argv[2]!
const set = await datasets.openGaze(join(folder, 'truth'), { split: 'test' })
const maps = await datasets.openMaps(join(folder, 'maps'))

async function* myMaps(): AsyncGenerator<FramePrediction> {
  for (const { name, maps: read } of maps) {
    const video = set.videos.find((one) => one.endsWith(`/${name}.mp4`))
    if (video === undefined) throw new Error(`There is no video of the maps '${name}'.`)
    for await (const { place, map } of read()) yield { video, frame: place, tensor: map }
  }
}

// Shuffled AUC and information gain need the other videos' gaze and a centre Gaussian; blur: false leaves the maps as they are.
const against = await datasets.gazeBaselines(set)
const scores = await metrics.score(myMaps(), set, { ...against, blur: false })
const intervals = metrics.bootstrap(scores)
const ceiling = await datasets.halfAgainstHalf(set, against)

for (const [name, { low, high }] of Object.entries(intervals)) {
  const score = name as keyof typeof intervals
  console.log(`${name}: ${scores.mean[score]?.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}); half of the viewers: ${ceiling.mean[score]?.toFixed(3)}`)
}
