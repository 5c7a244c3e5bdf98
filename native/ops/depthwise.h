#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

// Depthwise convolutions of channels-last maps (N, t, h, w, C), each followed by a layer norm of every place.

// 3x3x3 with zero padding 1. weight: (27, C).
struct DepthwiseNorm {
  at::Tensor weight, norm_weight, norm_bias;

  // Row `row` of sample `sample`, of the t h rows that it has -> (w, C).
  void row(const at::Tensor& x, int64_t sample, int64_t row, float* to) const;
};

// kernel x kernel patches that do not overlap, one slot at a time: (N, t, h, w, C) -> (N, t (h / kernel) (w / kernel), C). What is left over
// at the right and the bottom is not read.
struct PatchNorm {
  at::Tensor weight, norm_weight, norm_bias;  // weight: (kernel kernel, C)
  int64_t kernel;

  at::Tensor operator()(const at::Tensor& x) const;
  // The same of `coarse` repeated `repeat` times each way and multiplied by `factor` (N, h, w, C), which is alike for all slots; `kernel` is
  // a multiple of `repeat`.
  at::Tensor modulated(const at::Tensor& coarse, const at::Tensor& factor) const;
};

}  // namespace diffsal
