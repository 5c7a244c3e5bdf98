#pragma once
#include "ops/linear.h"
#include "ops/pass.h"

namespace diffsal {

// Over the last dimension, epsilon 1e-5.
struct LayerNorm {
  LayerNorm(const Scope& scope, int64_t channels);
  Tensor operator()(const Tensor& x) const;
  Weights in(at::ScalarType type) const { return cast_.of(weight, bias, type); }
  Tensor weight, bias;

 private:
  WeightCast cast_;
};

// linear(norm(x)): on the packed side some rows at a time, so that the norms stay in a core's cache.
Tensor linear_of_norm(const Tensor& x, const LayerNorm& norm, const Linear& linear);

// 32 groups in the paper's size, epsilon 1e-6.
struct GroupNorm {
  GroupNorm(const Scope& scope, int64_t groups, int64_t channels);
  // silu(norm(x)) of channels-last maps (N, h, w, C).
  Tensor activate(const Tensor& x) const;
  Tensor weight, bias;
  int64_t groups;

 private:
  WeightCast cast_;
};

struct BatchNormOptions {
  double epsilon = 1e-5, momentum = 0.1;
};

// Over dimension 1 of (N, C, ...). Its parameters stay float32, as its running statistics, which squares of small numbers are among: libtorch
// takes them beside maps of bfloat16.
struct BatchNorm {
  BatchNorm(const Scope& scope, int64_t channels, BatchNormOptions options = {});
  Tensor operator()(const Tensor& x, const Pass& pass) const;
  Tensor weight, bias, running_mean, running_var;
  BatchNormOptions options;
  // Batches whose statistics the running ones took up, of which their versions do not tell.
  mutable uint64_t batches = 0;
};

}  // namespace diffsal
