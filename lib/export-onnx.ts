import { extname } from 'node:path'
import { abortable } from './addon/cancel.ts'
import type { NativeModel, NativeTrace } from './addon/native.ts'
import { checkString } from './checks/options.ts'
import { readOptions, signal, type OptionTable } from './checks/table.ts'
import type { DiffSalConfig } from './config.ts'
import { DiffSalError, invalidArgument } from './errors.ts'
import { checkReplaceable } from './files/output-place.ts'
import { writeAll } from './files/write-whole.ts'
import { onnxGraph } from './onnx/convert.ts'
import { encodeMessage } from './onnx/messages.ts'

/** How to export a model. */
export interface ExportOnnxOptions {
  /** Rejects with the signal's reason when aborted. */
  signal?: AbortSignal | undefined
}

/** The files of an exported model. */
export interface OnnxFiles {
  /** The graph that is run once a clip. */
  readonly encode: string
  /** The graph that is run once a denoising step. */
  readonly denoise: string
  /** The set of ONNX operators that they use. */
  readonly opset: number
}

/** LayerNormalization came with it, and what is older than it runs nowhere else. */
export const opset = 17

/** What a protobuf message may have at most, which a model with its weights is. */
const mostBytes = 2 ** 31 - 1

/** What there is to know of {@link ExportOnnxOptions}. */
const table = { signal } satisfies OptionTable<ExportOnnxOptions>

/** Where the graphs go: `model.onnx` becomes `model.encode.onnx` and `model.denoise.onnx`. */
export function onnxPaths(path: string): Pick<OnnxFiles, 'encode' | 'denoise'> {
  if (extname(checkString('path', path)).toLowerCase() !== '.onnx') throw invalidArgument('path', 'a name that ends in .onnx', path)
  const stem = path.slice(0, -'.onnx'.length)
  return { encode: `${stem}.encode.onnx`, denoise: `${stem}.denoise.onnx` }
}

/** `DiffSal.exportOnnx`, of a model on the CPU in float32. */
export async function exportOnnx(model: NativeModel, config: DiffSalConfig, path: string, given?: ExportOnnxOptions): Promise<OnnxFiles> {
  const { signal } = readOptions('options', given, table)
  const paths = onnxPaths(path)
  for (const file of Object.values(paths)) checkReplaceable(file)
  if (config.dialect === 'released' && !config.video) {
    throw new DiffSalError(
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      "A 'released' model of sound alone draws its video maps by chance, which a graph cannot: it is not exported.",
      { argument: 'model' },
    )
  }
  signal?.throwIfAborted()
  const traces = await abortable(signal, (cancel) => model.traces(cancel))
  const files = (['encode', 'denoise'] as const).map((which) => [paths[which], modelBytes(traces[which], which, config)] as const)
  signal?.throwIfAborted()
  await writeAll(files)
  return { ...paths, opset }
}

function modelBytes(trace: NativeTrace, name: string, config: DiffSalConfig): Uint8Array {
  const graph = onnxGraph(trace)
  // Names, shapes and nodes take some hundred bytes a node.
  if (graph.bytes > mostBytes - 64 * 2 ** 20) {
    const message = `The weights of '${name}' take ${(graph.bytes / 2 ** 30).toFixed(1)} GiB, and a file of ONNX may have 2 at most: this network is too large to be exported.`
    throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', message, { argument: 'model' })
  }
  return encodeMessage('Model', {
    irVersion: 8,
    producerName: 'diffsal',
    graph: graph.message(name),
    opsetImport: [{ domain: '', version: opset }],
    metadata: [{ key: 'diffsal', value: JSON.stringify(config) }],
  })
}
