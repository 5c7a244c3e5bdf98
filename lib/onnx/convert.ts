import type { NativeArgument, NativeTensorRef, NativeTrace, NativeTraced } from '../addon/native.ts'
import { DiffSalError } from '../errors.ts'
import { OnnxGraph } from './graph.ts'
import { isTensorRef, operators, type Conversion } from './operators.ts'

/**
 * A trace as a graph of ONNX operators: each of libtorch's operators becomes those of {@link operators}, so that the equations stay in one place.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for a network with an operator that has none
 */
export function onnxGraph(trace: NativeTrace): OnnxGraph {
  const graph = new OnnxGraph()
  const names = new Map<number, string>()
  const constants = new Map<number, string>()
  const lists = new Map<number, readonly string[]>()
  for (const [i, number] of trace.inputs.entries()) {
    const name = trace.inputNames[i]!
    graph.input(name, trace.values[number]!)
    names.set(number, name)
  }

  const constant = (number: number): string => {
    const known = constants.get(number)
    if (known !== undefined) return known
    const { tensor, type, shape } = trace.constants[number]!
    const once = graph.tensor(tensor, type)
    const name = tensor.shape.join() === shape.join() ? once : graph.add('Expand', [once, graph.integers(shape)])
    constants.set(number, name)
    return name
  }
  const nameOf = (ref: NativeTensorRef): string => ('constant' in ref ? constant(ref.constant) : names.get(ref.value)!)
  const tracedOf = (ref: NativeTensorRef): NativeTraced => ('constant' in ref ? trace.constants[ref.constant]! : trace.values[ref.value]!)

  for (const step of trace.steps) {
    const argument = (i: number): NativeArgument => step.arguments[i] ?? null
    const numberOf = (value: NativeArgument): number => Number(value)
    const result = trace.values[step.results[0]!]!
    const conversion: Conversion = {
      graph,
      step,
      result,
      tensor(i) {
        const given = argument(i)
        return isTensorRef(given) ? nameOf(given) : graph.scalar(numberOf(given), result.type === 'int64' ? 'int64' : 'float32')
      },
      tensors: (i) => (argument(i) as readonly NativeTensorRef[]).map(nameOf),
      traced: (i) => tracedOf(argument(i) as NativeTensorRef),
      number: (i, usual = 0) => (argument(i) === null ? usual : numberOf(argument(i))),
      numbers: (i) => {
        const given = argument(i)
        return Array.isArray(given) ? (given as readonly number[]) : given === null ? [] : [numberOf(given)]
      },
      told: (i) => argument(i) !== null,
    }
    if (step.op === 'prim::ListUnpack') {
      const parts = lists.get((argument(0) as { value: number }).value)!
      step.results.forEach((number, i) => names.set(number, parts[i]!))
      continue
    }
    const convert = operators[step.op]
    if (convert === undefined) throw unknown(step.op)
    const made = convert(conversion)
    if (typeof made === 'string') names.set(step.results[0]!, made)
    else lists.set(step.results[0]!, made)
  }
  for (const [i, ref] of trace.outputs.entries()) graph.output(trace.outputNames[i]!, tracedOf(ref), nameOf(ref))
  return graph
}

function unknown(op: string): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `This network cannot be exported: it calculates with '${op}', for which ONNX export has no rule.`, {
    argument: 'model',
    expected: 'a network of operators that have one',
    received: op,
  })
}
