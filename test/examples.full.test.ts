import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DiffSal, presets } from '../lib/index.ts'
import { inProcessCli } from './support/in-process-cli.ts'
import { temporaryPath } from './support/temporary.ts'

test('the recipe of the weights that ship trains, the second part from what the first one found', async () => {
  const folder = temporaryPath('recipe')
  mkdirSync(join(folder, 'examples'), { recursive: true })
  for (const name of ['train-scenes-1.json', 'train-scenes-2.json']) {
    const recipe = JSON.parse(readFileSync(join('examples', name), 'utf8')) as { [list in 'train' | 'validate' | 'test']?: { length: number }[] }
    for (const entry of recipe.train!) entry.length = 16
    for (const entry of [...recipe.validate!, ...(recipe.test ?? [])]) entry.length = 2
    const file = join(folder, 'examples', name)
    writeFileSync(file, JSON.stringify(recipe))
    const { code, stderr } = await inProcessCli(['train', file])
    expect(code, stderr).toBe(0)
  }
  await using model = await DiffSal.load(join(folder, 'runs/scenes-2/checkpoints/best.safetensors'))
  expect(model.config).toEqual(presets.scenes.config)
})
