#pragma once
#include <ATen/core/Tensor.h>

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/parameters.h"

namespace diffsal {

// A layer's copy that calculates in `type`; where it does already, the tensors are the layer's own.
template <typename Layer>
Layer cast(Layer layer, at::ScalarType type) {
  layer.weight = layer.weight.to(type);
  if (layer.bias.defined()) layer.bias = layer.bias.to(type);
  return layer;
}

// A convolution's weight with its channels innermost, which is what CUDA's and the CPU's matrix units read.
at::Tensor channels_last(const at::Tensor& weight);

// A network's parameters once more, in the type that it predicts in; float32 ones are the same tensors. A BatchNorm's stay float32, as its
// running statistics, which squares of small numbers are among: libtorch takes them beside maps of bfloat16.
class CastSource : public ParameterSource {
 public:
  CastSource(const std::vector<Parameter>& parameters, at::ScalarType type);
  at::Tensor tensor(const ParameterInfo& info) override;

 private:
  std::unordered_map<std::string, at::Tensor> tensors_;
  std::unordered_set<std::string> normalised_;  // the names, without the last part, that have running statistics
  at::ScalarType type_;
};

}  // namespace diffsal
