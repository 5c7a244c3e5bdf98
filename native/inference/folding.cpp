#include "inference/folding.h"

#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/rsqrt.h>

namespace diffsal {

Folded fold(const Convolution& convolution, const BatchNorm& norm) {
  auto scale = norm.weight * at::rsqrt(norm.running_var + norm.options.epsilon);
  auto bias = norm.bias - norm.running_mean * scale;
  if (convolution.bias.defined()) bias = bias + convolution.bias * scale;
  Sizes shape(static_cast<size_t>(convolution.weight.dim()), 1);
  shape[0] = -1;
  return {convolution.weight * scale.view(shape), bias};
}

Folded compose(const Convolution& inner, const Convolution& outer) {
  // Each tap of the outer one spreads the inner kernel about its place.
  return {at::conv_transpose2d(outer.weight, inner.weight), outer.bias + (outer.weight.sum({2, 3}) * inner.bias).sum(1)};
}

}  // namespace diffsal
