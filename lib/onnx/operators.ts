import type { NativeArgument, NativeStep, NativeTensorRef, NativeTraced } from '../addon/native.ts'
import type { OnnxGraph } from './graph.ts'

/** What an operator's conversion is told. */
export interface Conversion {
  readonly graph: OnnxGraph
  readonly step: NativeStep
  /** What the step makes, or one of several. */
  readonly result: NativeTraced
  /** The ONNX name of argument `i`, a tensor; a number becomes one of `result`'s type. */
  tensor(i: number): string
  /** The names of argument `i`, a list of tensors. */
  tensors(i: number): readonly string[]
  /** Type and shape of argument `i`, a tensor. */
  traced(i: number): NativeTraced
  /** Argument `i` as a number, numbers or a boolean; what is not told is `usual`. */
  number(i: number, usual?: number): number
  numbers(i: number): readonly number[]
  /** Whether argument `i` was told. */
  told(i: number): boolean
}

/** Gives the ONNX name of the result, or of all results. */
type Convert = (c: Conversion) => string | readonly string[]

const elementwise =
  (op: string): Convert =>
  ({ graph, tensor }) =>
    graph.add(op, [tensor(0), tensor(1)])
const unary =
  (op: string): Convert =>
  ({ graph, tensor }) =>
    graph.add(op, [tensor(0)])
const same: Convert = ({ tensor }) => tensor(0)
/** The same elements in their order, in another shape. */
const reshaped: Convert = ({ graph, tensor, result }) => graph.add('Reshape', [tensor(0), graph.integers(result.shape)])

/** An axis that may be counted from the end. */
const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)

/** a + alpha · b, or a − alpha · b. */
const sum =
  (op: 'Add' | 'Sub'): Convert =>
  ({ graph, tensor, number }) =>
    graph.add(op, [tensor(0), number(2, 1) === 1 ? tensor(1) : graph.add('Mul', [tensor(1), graph.scalar(number(2))])])

function sliced({ graph, tensor, traced }: Conversion, axis: number, from: number, to: number, by = 1): string {
  return graph.add('Slice', [
    tensor(0),
    graph.integers([from]),
    graph.integers([Math.min(to, traced(0).shape[axis]!)]),
    graph.integers([axis]),
    graph.integers([by]),
  ])
}

function convolution(c: Conversion, stride: number, groups: number): string {
  const { graph, tensor, told, traced, numbers, number } = c
  const weight = traced(1).shape
  const each = (i: number): readonly number[] => (numbers(i).length === 1 ? weight.slice(2).map(() => numbers(i)[0]!) : numbers(i))
  const padding = each(stride + 1)
  const inputs = [tensor(0), tensor(1), ...(told(2) ? [tensor(2)] : [])]
  return graph.add('Conv', inputs, {
    strides: each(stride),
    pads: [...padding, ...padding],
    dilations: each(stride + 2),
    group: number(groups),
    kernel_shape: weight.slice(2),
  })
}

const maxPool: Convert = ({ graph, tensor, numbers, number, told }) => {
  const kernel = numbers(1)
  const padding = kernel.map((_, i) => numbers(3)[numbers(3).length === 1 ? 0 : i]!)
  return graph.add('MaxPool', [tensor(0)], {
    kernel_shape: kernel,
    strides: told(2) && numbers(2).length > 0 ? numbers(2) : kernel,
    pads: [...padding, ...padding],
    dilations: kernel.map((_, i) => numbers(4)[numbers(4).length === 1 ? 0 : i]!),
    ceil_mode: number(5, 0),
  })
}

/** Bilinear or trilinear, with pixels' centres at half-integers. */
const upsampled: Convert = ({ graph, tensor, result }) =>
  graph.add('Resize', [tensor(0), '', '', graph.integers(result.shape)], { mode: 'linear', coordinate_transformation_mode: 'half_pixel' })

const softmax: Convert = ({ graph, tensor, number, traced }) => graph.add('Softmax', [tensor(0)], { axis: axisOf(number(1), traced(0).shape.length) })

/** Mean or sum over some dimensions, which a list or, where nothing is told, all are. */
function reduced(op: 'ReduceMean' | 'ReduceSum'): Convert {
  return ({ graph, tensor, told, numbers, number, traced }) => {
    const rank = traced(0).shape.length
    const axes = told(1) && numbers(1).length > 0 ? numbers(1).map((axis) => axisOf(axis, rank)) : traced(0).shape.map((_, i) => i)
    // Until opset 18 the axes of a mean are an attribute.
    return op === 'ReduceMean'
      ? graph.add(op, [tensor(0)], { axes, keepdims: number(2, 0) })
      : graph.add(op, [tensor(0), graph.integers(axes)], { keepdims: number(2, 0) })
  }
}

function swapped(graph: OnnxGraph, name: string, rank: number, a = rank - 2, b = rank - 1): string {
  const perm = Array.from({ length: rank }, (_, i) => (i === a ? b : i === b ? a : i))
  return graph.add('Transpose', [name], { perm })
}

const linear: Convert = ({ graph, tensor, told }) => {
  const product = graph.add('MatMul', [tensor(0), swapped(graph, tensor(1), 2)])
  return told(2) ? graph.add('Add', [product, tensor(2)]) : product
}

/** softmax(scale q k^T + mask) v. */
const attention: Convert = ({ graph, tensor, told, number, traced }) => {
  const { shape } = traced(0)
  const scaled = graph.add('Mul', [tensor(0), graph.scalar(told(6) ? number(6) : 1 / Math.sqrt(shape.at(-1)!))])
  const alike = graph.add('MatMul', [scaled, swapped(graph, tensor(1), shape.length)])
  const scores = told(3) ? graph.add('Add', [alike, tensor(3)]) : alike
  return graph.add('MatMul', [graph.add('Softmax', [scores], { axis: shape.length - 1 }), tensor(2)])
}

/** By instance norm, since opset 17 has no group norm: a group's channels are one instance's. */
const groupNorm: Convert = ({ graph, tensor, number, traced }) => {
  const { shape } = traced(0)
  const [samples, channels] = [shape[0]!, shape[1]!]
  const groups = number(1)
  const each = (value: number): string => graph.tensor({ dtype: 'float32', shape: [groups], data: new Float32Array(groups).fill(value) })
  const grouped = graph.add('Reshape', [tensor(0), graph.integers([samples, groups, -1])])
  const normed = graph.add('Reshape', [
    graph.add('InstanceNormalization', [grouped, each(1), each(0)], { epsilon: { float: number(4) } }),
    graph.integers(shape),
  ])
  const wide = graph.integers([channels, ...shape.slice(2).map(() => 1)])
  return graph.add('Add', [graph.add('Mul', [normed, graph.add('Reshape', [tensor(2), wide])]), graph.add('Reshape', [tensor(3), wide])])
}

const padded: Convert = ({ graph, tensor, numbers, number, traced }) => {
  const rank = traced(0).shape.length
  // The last dimension's first: before and after each.
  const [before, after] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)]
  numbers(1).forEach((size, i) => ((i % 2 === 0 ? before : after)[rank - 1 - Math.floor(i / 2)] = size))
  return graph.add('Pad', [tensor(0), graph.integers([...before, ...after]), graph.scalar(number(2, 0))])
}

/** Each place along an axis by itself. */
const unbound: Convert = ({ graph, tensor, number, traced }) => {
  const { shape } = traced(0)
  const axis = axisOf(number(1), shape.length)
  return Array.from({ length: shape[axis]! }, (_, i) => graph.add('Gather', [tensor(0), graph.scalar(i, 'int64')], { axis }))
}

/** So many parts along an axis, all but the last of one length. */
const chunked: Convert = (c) => {
  const { shape } = c.traced(0)
  const axis = axisOf(c.number(2), shape.length)
  const length = Math.ceil(shape[axis]! / c.number(1))
  return Array.from({ length: Math.ceil(shape[axis]! / length) }, (_, i) => sliced(c, axis, i * length, (i + 1) * length))
}

const rolled: Convert = (c) => {
  const { graph, traced, numbers } = c
  return numbers(2).reduce((name, axis, i) => {
    const size = traced(0).shape[axis]!
    const shift = ((numbers(1)[i]! % size) + size) % size || 0
    if (shift === 0) return name
    const part = (from: number, to: number): string =>
      graph.add('Slice', [name, graph.integers([from]), graph.integers([to]), graph.integers([axis]), graph.integers([1])])
    return graph.add('Concat', [part(size - shift, size), part(0, size - shift)], { axis })
  }, c.tensor(0))
}

/** The operators of libtorch that inference is made of, as those of ONNX. */
export const operators: Readonly<Record<string, Convert>> = {
  'aten::add': sum('Add'),
  'aten::sub': sum('Sub'),
  'aten::mul': elementwise('Mul'),
  'aten::div': elementwise('Div'),
  'aten::neg': unary('Neg'),
  'aten::exp': unary('Exp'),
  'aten::sin': unary('Sin'),
  'aten::cos': unary('Cos'),
  'aten::sigmoid': unary('Sigmoid'),
  'aten::relu': unary('Relu'),
  'aten::silu': ({ graph, tensor }) => graph.add('Mul', [tensor(0), graph.add('Sigmoid', [tensor(0)])]),
  'aten::gelu': ({ graph, tensor }) => {
    const bent = graph.add('Add', [graph.add('Erf', [graph.add('Mul', [tensor(0), graph.scalar(Math.SQRT1_2)])]), graph.scalar(1)])
    return graph.add('Mul', [graph.add('Mul', [tensor(0), graph.scalar(0.5)]), bent])
  },
  'aten::softmax': softmax,
  'aten::_softmax': softmax,
  'aten::mean': reduced('ReduceMean'),
  'aten::sum': reduced('ReduceSum'),
  'aten::matmul': elementwise('MatMul'),
  'aten::bmm': elementwise('MatMul'),
  'aten::mm': elementwise('MatMul'),
  'aten::linear': linear,
  'aten::scaled_dot_product_attention': attention,
  'aten::conv2d': (c) => convolution(c, 3, 6),
  'aten::conv3d': (c) => convolution(c, 3, 6),
  'aten::convolution': (c) => convolution(c, 3, 8),
  'aten::_convolution': (c) => convolution(c, 3, 8),
  'aten::max_pool2d': maxPool,
  'aten::max_pool3d': maxPool,
  'aten::upsample_bilinear2d': upsampled,
  'aten::upsample_trilinear3d': upsampled,
  'aten::layer_norm': ({ graph, tensor, numbers, number }) =>
    graph.add('LayerNormalization', [tensor(0), tensor(2), tensor(3)], { axis: -numbers(1).length, epsilon: { float: number(4) } }),
  'aten::batch_norm': ({ graph, tensor, number }) => graph.add('BatchNormalization', [0, 1, 2, 3, 4].map(tensor), { epsilon: { float: number(7) } }),
  'aten::group_norm': groupNorm,
  'aten::view': reshaped,
  'aten::reshape': reshaped,
  'aten::flatten': reshaped,
  'aten::unflatten': reshaped,
  'aten::unsqueeze': reshaped,
  'aten::squeeze': reshaped,
  'aten::permute': ({ graph, tensor, numbers }) => graph.add('Transpose', [tensor(0)], { perm: numbers(1) }),
  'aten::transpose': ({ graph, tensor, traced, number }) => {
    const rank = traced(0).shape.length
    return swapped(graph, tensor(0), rank, axisOf(number(1), rank), axisOf(number(2), rank))
  },
  'aten::t': ({ graph, tensor }) => swapped(graph, tensor(0), 2),
  'aten::expand': ({ graph, tensor, result }) => graph.add('Expand', [tensor(0), graph.integers(result.shape)]),
  'aten::contiguous': same,
  'aten::clone': same,
  'aten::detach': same,
  'aten::alias': same,
  'aten::to': ({ graph, tensor, traced, result }) =>
    traced(0).type === result.type ? tensor(0) : graph.add('Cast', [tensor(0)], { to: { float32: 1, int64: 7, bool: 9, float64: 11 }[result.type] }),
  'aten::cat': ({ graph, tensors, number, result }) => graph.add('Concat', tensors(0), { axis: axisOf(number(1), result.shape.length) }),
  'aten::stack': ({ graph, tensors, number, result }) => {
    const axis = axisOf(number(1), result.shape.length)
    const one = graph.integers(result.shape.map((size, i) => (i === axis ? 1 : size)))
    return graph.add(
      'Concat',
      tensors(0).map((name) => graph.add('Reshape', [name, one])),
      { axis },
    )
  },
  'aten::slice': (c) => {
    const axis = axisOf(c.number(1), c.result.shape.length)
    return sliced(c, axis, c.number(2, 0), c.number(3, Number.MAX_SAFE_INTEGER), c.number(4, 1))
  },
  'aten::narrow': (c) => sliced(c, axisOf(c.number(1), c.result.shape.length), c.number(2), c.number(2) + c.number(3)),
  'aten::select': ({ graph, tensor, number, traced }) => {
    const { shape } = traced(0)
    const axis = axisOf(number(1), shape.length)
    return graph.add('Gather', [tensor(0), graph.scalar(axisOf(number(2), shape[axis]!), 'int64')], { axis })
  },
  'aten::index_select': ({ graph, tensor, number, traced }) => graph.add('Gather', [tensor(0), tensor(2)], { axis: axisOf(number(1), traced(0).shape.length) }),
  'aten::constant_pad_nd': padded,
  'aten::roll': rolled,
  'aten::unbind': unbound,
  'aten::chunk': chunked,
}

/** Whether an argument is a tensor. */
export function isTensorRef(argument: NativeArgument | undefined): argument is NativeTensorRef {
  return typeof argument === 'object' && argument !== null && !Array.isArray(argument)
}
