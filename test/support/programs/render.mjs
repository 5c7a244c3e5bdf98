// Renders a scene over a file, once for each of the disk's faults in its arguments; prints what came of each as JSON.
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { datasets } from './package.mjs'

const [path, ...faults] = process.argv.slice(2)
const answers = []
for (const fault of faults) {
  process.env.DISK_FAULT = fault
  const answer = await datasets.renderScene(path, { seconds: 1, size: [64, 96], track: `${path}.json` }).then(
    () => ({ rendered: true }),
    ({ code, message, argument }) => ({ code, message, argument }),
  )
  process.env.DISK_FAULT = ''
  answers.push({ ...answer, files: readdirSync(dirname(path)).sort() })
}
console.log(JSON.stringify(answers))
