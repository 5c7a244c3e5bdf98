#include "inference/folding.h"

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

}  // namespace diffsal
