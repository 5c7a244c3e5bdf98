import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { noiseLike, testInput, testValue } from './test-values.ts'

// First two numbers, last number and SHA-256 of the bytes, as the program that wrote the golden values gives them.
const values: [name: string, shape: number[], first: number[], last: number, sha: string][] = [
  ['visual_net.blocks.0.attn.qkv.weight', [288, 96], [0.05500437691807747, 0.1203591525554657], 0.0061867148615419865, '9814bf72b349374dbf07288d394db45e'],
  ['visual_net.blocks.0.attn.rel_pos_h', [111, 96], [-0.44331514835357666, -0.38764137029647827], 0.3782278299331665, '2b074e5965c836f0a34e5a1ca94bcf41'],
  ['visual_net.cls_token', [1, 1, 96], [-0.35908669233322144, -0.041439592838287354], -0.3931193947792053, '79d198f5fb3848ac2ede65dccb65ec21'],
  ['spatiotemp_net.pos_embedding', [1, 1, 9, 1, 1], [-0.09175992012023926, -0.37814462184906006], 0.20646226406097412, '5a5dbd50172133cbe31d2ad3f7c0f67b'],
  ['decoder_net.invpt_decoder.mt_proj.1.running_var', [96], [1.3415107727050781, 1.2942955493927002], 1.1167237758636475, '7f58b5927488a50cb5391aa0f20f8600'],
  [
    'decoder_net.invpt_decoder.mt_proj.1.running_mean',
    [96],
    [0.08569436520338058, -0.09495996683835983],
    -0.005286276340484619,
    '35822eb8834f596941836d91a77e7eaa',
  ],
  ['visual_net.norm0.weight', [96], [1.0319443941116333, 1.023604154586792], 1.0051617622375488, '10ac7587e85c7f29431a7b8b4c6a66fd'],
  ['visual_net.norm0.bias', [96], [0.022853409871459007, 0.0030011774506419897], -0.02708427980542183, 'eed2d1e1a59add9e221203f68752a642'],
  [
    'decoder_net.invpt_decoder.redu_chan_up.0.proj.0.weight',
    [768, 768, 5, 1, 1],
    [0.014649881981313229, 0.021466389298439026],
    -0.025414099916815758,
    'dfa061a99cb3bed5121f266b09b72dc8',
  ],
  ['é', [3, 5], [0.08640781044960022, -0.004460533615201712], -0.6068423390388489, '77afcda5a769a220757b0689dcc60da4'],
]
const inputs: [name: string, shape: number[], kind: 'normal' | 'unit', first: number[], last: number, sha: string][] = [
  ['x', [2, 1, 64, 96], 'normal', [-1.007983684539795, 0.10676765441894531], 0.9163422584533691, '49fc016ff60dd8b81099a5f5a93a7da8'],
  ['frames', [1, 3, 16, 224, 384], 'normal', [0.27705860137939453, -0.8870010375976562], 1.8238897323608398, '034bc0e9c3ca4b5e47c940ff12ee5aa2'],
  ['wave', [35200], 'normal', [-1.4167537689208984, 0.5331158638000488], 1.687558650970459, 'ee9f0b42cf146d90098faa6092c00905'],
  ['target', [2, 1, 64, 96], 'unit', [0.683387279510498, 0.0004469156265258789], 0.9285351037979126, '70aa12b4eda4ad29175da0a856a61ec3'],
]

function expectGolden(actual: Float32Array, first: number[], last: number, sha: string): void {
  expect([...actual.slice(0, 2)]).toEqual(first)
  expect(actual.at(-1)).toBe(last)
  expect(createHash('sha256').update(new Uint8Array(actual.buffer)).digest('hex').slice(0, sha.length)).toBe(sha)
}

describe('testValue', () => {
  it.each(values)('gives the golden bits of %s', (name, shape, first, last, sha) => expectGolden(testValue(name, shape), first, last, sha))
})

describe('testInput', () => {
  it.each(inputs)('gives the golden bits of %s', (name, shape, kind, first, last, sha) => {
    expectGolden(testInput(name, shape, kind), first, last, sha)
  })
})

describe('noiseLike', () => {
  it('has numbers in [0, 1) that a longer call begins with', () => {
    const long = noiseLike('name', 100_000)
    expect(long.subarray(0, 1000)).toEqual(noiseLike('name', 1000))
    expect(Math.min(...long)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...long)).toBeLessThan(1)
    expect(long).not.toEqual(noiseLike('another', 100_000))
  })
})
