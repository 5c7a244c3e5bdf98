// Saves until it sees the temporary file, and kills itself then.
import { readdirSync, rmSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { createModel } from './package.mjs'

const path = process.argv[2]
const model = await createModel()
for (;;) {
  rmSync(path, { force: true })
  const saving = model.save(path)
  for (let names = []; !names.includes(basename(path)); names = readdirSync(dirname(path))) {
    if (names.some((name) => name.endsWith('.tmp'))) process.kill(process.pid, 'SIGKILL')
  }
  await saving
}
