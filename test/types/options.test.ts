import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { datasets, DiffSal, type PredictOptions, type TrainerOptions } from '../../lib/index.ts'
import { resolveConfig } from '../../lib/config.ts'
import { blobs } from '../support/blobs.ts'
import { trainingBatch, trainingConfig, trainingRun } from '../support/training.ts'

/** What the package makes and users only read: there a member is left out, never undefined. */
const results = ['Prediction', 'VideoMap', 'VideoProgress', 'ShotProgress', 'DeviceInfo', 'DeviceMemory', 'ModelMemory', 'DiffSalError']

/** Optional members, of exported interfaces and of exported classes' parameters, for which `undefined` may not be given. */
function refusingUndefined(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = []
  const exported = new Set<string>()
  const parsed = [...files].map(([name, text]) => ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true))
  for (const file of parsed.filter(({ fileName }) => fileName.endsWith('index.ts'))) {
    for (const statement of file.statements) {
      if (!ts.isExportDeclaration(statement) || !statement.exportClause || !ts.isNamedExports(statement.exportClause)) continue
      for (const { name } of statement.exportClause.elements) exported.add(name.text)
    }
  }
  for (const file of parsed) {
    for (const statement of file.statements) {
      if (!ts.isInterfaceDeclaration(statement) && !ts.isClassDeclaration(statement) && !ts.isFunctionDeclaration(statement)) continue
      const owner = statement.name?.text ?? ''
      if (!exported.has(owner) || results.includes(owner)) continue
      const visit = (node: ts.Node): void => {
        if (ts.isBlock(node)) return
        if (ts.isPropertySignature(node) && node.questionToken && !allowsUndefined(node.type)) found.push(`${owner}.${node.name.getText()}`)
        ts.forEachChild(node, visit)
      }
      ts.forEachChild(statement, visit)
    }
  }
  return found
}

function allowsUndefined(type: ts.TypeNode | undefined): boolean {
  if (type?.kind === ts.SyntaxKind.UndefinedKeyword || type?.kind === ts.SyntaxKind.UnknownKeyword) return true
  return type !== undefined && ts.isUnionTypeNode(type) && type.types.some(allowsUndefined)
}

test('every option may be given as undefined, which exactOptionalPropertyTypes would refuse', () => {
  const files = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !name.startsWith('cli'))
  expect(refusingUndefined(new Map(files.map((name) => [name, readFileSync(join('lib', name), 'utf8')])))).toEqual([])
  const made = [
    ['index.ts', "export { F, type O } from './o.ts'"],
    [
      'o.ts',
      'export interface O { a?: number; b?: string | undefined; c?: unknown }\nclass F { f(options: { d?: 1 }) { type X = { e?: 1 } } }\ninterface Inner { g?: 1 }',
    ],
  ] as const
  expect(refusingUndefined(new Map(made))).toEqual(['O.a', 'F.d'])
})

test('an option that is undefined is one that is left out', async () => {
  const { videoEncoder, ...rest } = trainingConfig
  const config = { ...rest, audio: undefined, normalisation: undefined, videoEncoder: { ...videoEncoder, heads: undefined } }
  expect(resolveConfig(config)).toEqual(resolveConfig(trainingConfig))

  await using model = await DiffSal.create(config, { ...trainingRun, device: undefined, precision: undefined, pretrained: undefined })
  const { frames, mel, target } = trainingBatch()
  const nothing: { [name in keyof PredictOptions]-?: undefined } = {
    ...{ steps: undefined, eta: undefined, seed: undefined, noise: undefined },
    ...{ signal: undefined, onProgress: undefined, estimates: undefined, uncertainty: undefined, activity: undefined, mirror: undefined, priority: undefined },
  }
  const map = await model.predict({ frames, mel, audio: undefined }, { ...nothing, seed: 1 })
  expect(map).toEqual(await model.predict({ frames, mel }, { seed: 1 }))

  const untold: { [name in keyof TrainerOptions]-?: undefined } = {
    ...{ lr: undefined, optimiser: undefined, betas: undefined, eps: undefined, weightDecay: undefined, clip: undefined, loss: undefined },
    ...{ terms: undefined, schedule: undefined, accumulate: undefined, ema: undefined, frozen: undefined, times: undefined },
    ...{ groups: undefined, keepGradients: undefined },
    ...{ dequantisation: undefined, dropout: undefined, precision: undefined, seed: undefined, group: undefined, synchronise: undefined },
  }
  await using trainer = model.trainer({ ...untold, seed: 1, terms: { cc: undefined }, schedule: { gamma: undefined }, times: [{ first: undefined }] })
  expect(trainer.options).toEqual(model.trainer({ seed: 1 }).options)
  expect(await trainer.step({ frames, mel, target, fixations: undefined, t: undefined, noise: undefined }, { signal: undefined })).toMatchObject({ step: 1 })

  const held = { dataset: blobs(2), every: undefined, batch: undefined, limit: undefined, onProgress: undefined }
  const steps: number[] = []
  for await (const event of trainer.fit(blobs(2), { epochs: 1, batch: 2, checkpointDir: undefined, every: undefined, keep: undefined, validate: held })) {
    if (event.type === 'step') steps.push(event.samples)
  }
  expect(steps).toEqual([2])

  const split = datasets.soundingScenes({ split: undefined, length: undefined, cues: undefined, size: [32, 64] })
  expect(split.length).toBe(100_000)
  const scenes = { size: [32, 64], length: 2, shapes: [2, 2] } as const
  const baselines = await datasets.scoreSceneBaselines({ ...scenes, split: undefined }, { priorScenes: 2 })
  expect(baselines).toEqual(await datasets.scoreSceneBaselines(scenes, { priorScenes: 2 }))
})
