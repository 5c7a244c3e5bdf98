import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { schedule, type Tensor } from '../lib/index.ts'
import type { Material, Peer } from './torch-peer.ts'

interface OnnxTensor {
  readonly data: Float32Array
}
interface Session {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  run(feeds: Record<string, OnnxTensor>): Promise<Record<string, OnnxTensor>>
  release(): Promise<void>
}
interface Onnx {
  readonly InferenceSession: { create(path: string, options: object): Promise<Session> }
  readonly Tensor: new (type: string, data: Float32Array | BigInt64Array, shape: readonly number[]) => OnnxTensor
  readonly env: { readonly versions: { readonly node?: string; readonly common: string } }
}

/** onnxruntime-node, which is no dependency: whoever measures installs it with `npm install --no-save onnxruntime-node`. */
export async function onnxPeer(inputs: Record<'x' | 'frames' | 'mel', Tensor<'float32'>>, material: Material): Promise<Peer> {
  const name = 'onnxruntime-node'
  const loaded = (await import(name)) as Onnx & { default?: Onnx }
  const onnx = loaded.default ?? loaded
  const options = { executionProviders: ['cpu'], intraOpNumThreads: material.threads }
  const open = (file: string): Promise<Session> => onnx.InferenceSession.create(join(material.folder, file), options)
  const [encoders, denoiser] = [await open('enc.onnx'), await open('den.onnx')]
  const given = ({ data, shape }: Tensor<'float32'>): OnnxTensor => new onnx.Tensor('float32', data, shape)
  const run = async (session: Session, values: OnnxTensor[]): Promise<OnnxTensor[]> => {
    const feeds = Object.fromEntries(session.inputNames.map((input, i) => [input, values[i]!]))
    const results = await session.run(feeds)
    return session.outputNames.map((output) => results[output]!)
  }
  return {
    name: `onnxruntime-node ${onnx.env.versions.node ?? onnx.env.versions.common}`,
    async predict() {
      const start = performance.now()
      const conditions = await run(encoders, [given(inputs.frames), given(inputs.mel)])
      let x = inputs.x
      for (const [now, next] of schedule.ddimTimes(material.steps, { dialect: material.dialect })) {
        const time = new onnx.Tensor(
          'int64',
          BigInt64Array.from({ length: material.batch }, () => BigInt(now)),
          [material.batch],
        )
        const [estimate] = await run(denoiser, [given(x), time, ...conditions])
        const s0 = { ...x, data: estimate!.data }
        x = next < 0 ? { ...x, data: s0.data.map((value) => Math.min(Math.max(value, 0), 1)) } : schedule.ddimStep(x, s0, now, next)
      }
      return { seconds: (performance.now() - start) / 1000, map: x.data }
    },
    async close() {
      await encoders.release()
      await denoiser.release()
    },
  }
}
