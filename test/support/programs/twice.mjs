// The package twice in one process, from two folders; prints the maps of both, which ran at the same time.
import { config, inputs, noise } from './package.mjs'

const packages = await Promise.all([process.env.DIFFSAL_PACKAGE, process.argv[2]].map((path) => import(path)))
if (packages[0].DiffSal === packages[1].DiffSal) throw new Error('there is one package, not two')
const models = await Promise.all(packages.map(({ DiffSal }) => DiffSal.create(config, { seed: 1, threads: 1 })))
const maps = await Promise.all(models.map((model) => model.predict(inputs, { steps: 2, noise })))
const foreign = await models[0].predict(await models[1].encode(inputs)).catch(({ code }) => code)
await models[0].dispose()
const after = await models[1].predict(inputs, { steps: 2, noise })
await models[1].dispose()
console.log(JSON.stringify({ maps: [...maps, after].map(({ data }) => Buffer.from(data.buffer).toString('base64')), foreign }))
