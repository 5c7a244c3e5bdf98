#pragma once
#include "inference/matrix_product.h"
#include "model/layers.h"

namespace diffsal {

// So few rows are not worth a thread.
constexpr int64_t least_rows = 24;

// y = x W^T + b over the last dimension, with W packed.
struct PackedLinear {
  PackedLinear() = default;
  explicit PackedLinear(const Linear& layer) : PackedLinear(layer.weight, layer.bias) {}
  // weight: (out, in); bias: (out,), or undefined for none.
  PackedLinear(const Tensor& weight, Tensor bias) : weight(weight.t()), bias(std::move(bias)) {}

  int64_t in() const { return weight.rows(); }
  int64_t out() const { return weight.columns(); }
  const float* shift() const { return bias.defined() ? bias.const_data_ptr<float>() : nullptr; }

  // x (..., in) contiguous -> (..., out), on all threads.
  Tensor operator()(const Tensor& x) const;
  // to += x W^T + b, both contiguous, on all threads.
  void add_to(Tensor& to, const Tensor& x) const;
  // The same of `count` rows of x, one after the other in memory, on the calling thread.
  void rows(const float* x, int64_t count, float* to, bool add = false) const { multiply(x, in(), count, weight, to, out(), {shift(), add}); }

  Packed weight;
  Tensor bias;
};

// linear(norm(x)); some rows at a time, so that the norms stay in a core's cache.
Tensor linear_of_norm(const Tensor& x, const LayerNorm& norm, const PackedLinear& linear);

}  // namespace diffsal
