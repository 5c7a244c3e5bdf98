#include "ops/head.h"

#include "ops/side.h"

namespace diffsal {

bool Head::packed_for(const Tensor& x) const {
  return on_packed_side(x, layer_.convolution.weight, layer_.convolution.bias, logits_.weight, logits_.bias);
}

Tensor Head::part(const Tensor& normed, const Convolution& reduce, const Pass& pass) const {
  // Both functions are to choose alike, so a training keeps to libtorch's.
  bool packed = !pass.training && packed_for(normed) && on_packed_side(normed, reduce.weight);
  return packed ? part_cpu(normed.contiguous(), reduce, convolution(pass)) : part_torch(normed, reduce, convolution(pass));
}

Tensor Head::operator()(const std::vector<Tensor>& parts, const Pass& pass) const {
  return !pass.training && packed_for(parts[0]) ? sum_cpu(parts) : sum_torch(parts, pass);
}

}  // namespace diffsal
