#pragma once
#include "ops/matrix_product.h"

namespace diffsal {

// So few rows are not worth a thread.
constexpr int64_t least_rows = 24;

// The packed side of a linear layer: y = x W^T + b over the last dimension, float32 on the CPU.
struct PackedLinear {
  PackedLinear() = default;
  // weight: (out, in); bias: (out,), or undefined for none.
  PackedLinear(const at::Tensor& weight, at::Tensor bias) : weight(weight.t()), bias(std::move(bias)) {}

  int64_t in() const { return weight.rows(); }
  int64_t out() const { return weight.columns(); }
  const float* shift() const { return bias.defined() ? bias.const_data_ptr<float>() : nullptr; }

  // x (..., in) contiguous -> (..., out), on all threads.
  at::Tensor operator()(const at::Tensor& x) const;
  // to += x W^T + b, both contiguous, on all threads.
  void add_to(at::Tensor& to, const at::Tensor& x) const;
  // The same of `count` rows of x, one after the other in memory, on the calling thread.
  void rows(const float* x, int64_t count, float* to, bool add = false) const { multiply(x, in(), count, weight, to, out(), {shift(), add}); }

  Packed weight;
  at::Tensor bias;
};

}  // namespace diffsal
