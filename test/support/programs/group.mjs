// One of several processes: joins as its environment says, then does what its argument, JSON, asks for, and prints a line of JSON for each thing that happens.
import { createHash } from 'node:crypto'
import { pathToFileURL } from 'node:url'
const { DiffSal, distributed } = await import(process.env.DIFFSAL_PACKAGE)

const {
  join,
  create,
  trainer = {},
  fit,
  length = 12,
  clipLength = 8,
  nulls = [],
  resume,
  steps,
  waits = false,
  throwsAt,
  evaluate,
  tampersAt,
  counts,
  device,
} = JSON.parse(process.argv[2])
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`)

/** Pictures, sound and map of a number: the same in every process. */
function sample(index) {
  const [height, width] = [32, 64]
  const place = (index * 37) % width
  const density = Float32Array.from({ length: height * width }, (_, i) => Math.exp(-((Math.floor(i / width) - 16) ** 2 + ((i % width) - place) ** 2) / 60))
  const fixations = Uint8Array.from(density, (value) => Number(value > 0.9))
  return {
    frames: {
      dtype: 'uint8',
      shape: [clipLength, height, width, 3],
      data: Uint8Array.from({ length: clipLength * height * width * 3 }, (_, i) => 30 + 200 * density[Math.floor(i / 3) % density.length]),
    },
    audio: { samples: Float32Array.from({ length: 8000 }, (_, i) => 0.3 * Math.sin(i * 0.02 * (1 + place))), sampleRate: 16_000 },
    target: { dtype: 'float32', shape: [1, height, width], data: density },
    fixations: { dtype: 'uint8', shape: [1, height, width], data: fixations },
    video: index % 2 === 0 ? 'even' : 'odd',
    frame: index,
  }
}

const read = []
const dataset = {
  length,
  videos: ['even', 'odd'],
  async get(index) {
    read.push(index)
    if (index === throwsAt) throw new Error(`sample ${index} is broken`)
    return nulls.includes(index) ? null : sample(index)
  },
  truth(_, frame) {
    const { target, fixations } = sample(frame)
    return { density: { ...target, shape: [32, 64] }, fixations: { ...fixations, shape: [32, 64] } }
  },
}

async function hash(model) {
  const sum = createHash('sha256')
  for (const { name } of model.parameters()) sum.update((await model.parameter(name)).data)
  return sum.digest('hex')
}

/** Changes the last bits of one weight, as a fault of the memory would. */
async function tamper(model) {
  const [{ name }] = model.parameters()
  const values = await model.parameter(name)
  await model.setParameter(name, { ...values, data: values.data.map((value, i) => (i === 0 ? value * (1 + 2 ** -22) + 2 ** -40 : value)) })
}

let group
try {
  group = join === null ? undefined : await distributed.join(join)
  say({ type: 'joined', rank: group?.rank, worldSize: group?.worldSize })
  const shared = group && { group }
  const going = resume && (await DiffSal.resume(resume, { threads: 1, ...shared }))
  const model = going?.model ?? (create && (await DiffSal.create(create, { seed: 4, threads: 1, ...(device && { device: `${device}:${group?.rank ?? 0}` }) })))
  if (fit) {
    const training = going ?? model.trainer({ ...trainer, ...shared })
    const { validated, ...options } = fit
    for await (const event of training.fit(dataset, { ...options, ...(validated && { validate: { dataset, steps: 2, ...validated } }) })) {
      say(event)
      if (event.type === 'step' && event.step === steps) break
      if (event.type === 'step' && event.step === tampersAt) await tamper(model)
    }
    say({ type: 'hash', hash: await hash(model) })
    if (counts)
      say({ type: 'traffic', ...(await import(new URL('distributed/group.js', pathToFileURL(process.env.DIFFSAL_PACKAGE)))).handsOf(group).native.traffic() })
  }
  if (evaluate) say({ type: 'scores', scores: await model.evaluate(dataset, { steps: 2, ...evaluate, ...shared }) })
  if (waits) await group.barrier()
  say({ type: 'read', read })
} catch (error) {
  say({ type: 'error', code: error.code, message: error.message, received: error.received })
} finally {
  await group?.leave()
}
say({ type: 'end' })
