import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as onnx from 'onnxruntime-node'
import { beforeAll, expect, test } from 'vitest'
import { DiffSal } from '../../../lib/index.ts'
import { inProcessCli } from '../../support/in-process-cli.ts'
import { temporaryPath } from '../../support/temporary.ts'
import { testWeights } from '../../support/test-weights.ts'
import { lightConfig } from '../../support/tiny-config.ts'

let [weights, folder] = ['', '']
beforeAll(async () => {
  weights = await testWeights(lightConfig)
  folder = temporaryPath('export')
  mkdirSync(folder)
})

test('two graphs that ONNX Runtime opens, the same as the function writes', async () => {
  const { code, stdout, stderr } = await inProcessCli(['export', join(folder, 'new/model.onnx'), '--weights', weights])
  const [encode, denoise] = ['encode', 'denoise'].map((which) => join(folder, `new/model.${which}.onnx`)) as [string, string]
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toBe(`Wrote '${encode}' and '${denoise}', of ONNX's opset 17.\n`)
  const names = async (path: string): Promise<[readonly string[], readonly string[]]> => {
    const session = await onnx.InferenceSession.create(path, { executionProviders: ['cpu'], intraOpNumThreads: 1 })
    const found: [readonly string[], readonly string[]] = [session.inputNames, session.outputNames]
    await session.release()
    return found
  }
  const [inputs, features] = await names(encode)
  expect(inputs).toEqual(['frames', 'mel'])
  expect(await names(denoise)).toEqual([['x', 't', ...features], ['s0']])
  await using model = await DiffSal.load(weights, { device: 'cpu' })
  const other = await model.exportOnnx(join(folder, 'other.onnx'))
  expect(readFileSync(encode).equals(readFileSync(other.encode))).toBe(true)
  expect(readFileSync(denoise).equals(readFileSync(other.denoise))).toBe(true)
})

test('--json tells the files, and those of the same names are replaced', async () => {
  const [encode, denoise] = ['encode', 'denoise'].map((which) => join(folder, `again.${which}.onnx`)) as [string, string]
  writeFileSync(encode, 'before')
  const { code, stdout } = await inProcessCli(['export', join(folder, 'again.onnx'), '--weights', weights, '--json'])
  expect([code, JSON.parse(stdout)]).toEqual([0, { encode, denoise, opset: 17 }])
  expect(readFileSync(encode).length).toBeGreaterThan(10_000)
})

test('what cannot be leaves nothing', async () => {
  const own = join(folder, 'own')
  mkdirSync(own)
  const same = join(own, 'model.encode.onnx')
  copyFileSync(weights, same)
  mkdirSync(join(own, 'taken.denoise.onnx'))
  const bad = async (code: number, words: RegExp, ...args: string[]): Promise<void> => {
    const { code: ended, stderr } = await inProcessCli(['export', ...args])
    expect([ended, stderr]).toEqual([code, expect.stringMatching(words)])
  }
  await bad(2, /ends in \.onnx/, join(own, 'model.pt'), '--weights', weights)
  await bad(2, /is the input/, join(own, 'model.onnx'), '--weights', same)
  await bad(4, /none\.safetensors': it does not exist/, join(own, 'a.onnx'), '--weights', 'none.safetensors')
  await bad(6, /directory/, join(own, 'taken.onnx'), '--weights', weights)
  await bad(2, /cannot be used with/, join(own, 'a.onnx'), '--weights', weights, '--preset', 'gaze')
  expect(readFileSync(same).equals(readFileSync(weights))).toBe(true)
  expect(readdirSync(own).sort()).toEqual(['model.encode.onnx', 'taken.denoise.onnx'])
  expect(existsSync(join(own, 'taken.encode.onnx'))).toBe(false)
})
