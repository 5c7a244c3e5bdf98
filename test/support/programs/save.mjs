// Saves over a file, once for each of the disk's faults in its arguments; prints what came of each as JSON.
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { createModel } from './package.mjs'

const [path, ...faults] = process.argv.slice(2)
const model = await createModel()
const answers = []
for (const fault of faults) {
  process.env.DISK_FAULT = fault
  const answer = await model.save(path).then(
    () => ({ saved: true }),
    ({ code, message, argument }) => ({ code, message, argument }),
  )
  process.env.DISK_FAULT = ''
  answers.push({ ...answer, files: readdirSync(dirname(path)) })
}
console.log(JSON.stringify(answers))
