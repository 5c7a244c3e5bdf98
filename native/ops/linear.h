#pragma once
#include <ATen/TensorOperators.h>

#include "ops/cast.h"
#include "ops/packed_linear.h"
#include "ops/parameters.h"

namespace diffsal {

using at::Tensor;
using Sizes = std::vector<int64_t>;

// y = x W^T + b over the last dimension, (..., in) -> (..., out). W is (out, in), or a convolution's of kernel 1.
struct Linear {
  Linear(const Scope& scope, int64_t in, int64_t out, bool bias = true);
  // Of a convolution of kernel 1, whose weight has so many dimensions beyond.
  static Linear pointwise(const Scope& scope, int64_t in, int64_t out, int64_t dimensions, Init bias_init = Init::fan_in);
  Linear(Tensor weight, Tensor bias) : weight(std::move(weight)), bias(std::move(bias)) {}

  Tensor operator()(const Tensor& x) const;
  // residual + y, on the packed side in the residual's memory, which is contiguous.
  Tensor onto(const Tensor& residual, const Tensor& x) const;

  // W as (out, in).
  Tensor matrix() const { return weight.dim() == 2 ? weight : weight.flatten(1); }
  const PackedLinear& packed() const;
  Weights in(at::ScalarType type) const;

  Tensor weight, bias;

 private:
  Derived<PackedLinear> packed_;
  WeightCast cast_;
};

}  // namespace diffsal
