#pragma once
#include <ATen/core/Tensor.h>

#include "model/relative_position.h"

namespace diffsal {

// Depthwise convolutions of channels-last maps (B, t, h, w, C) by libtorch's operators.

// 3x3x3 with zero padding 1: (B, t, h, w, C) -> (B, t', h', w', C), the grid divided by the stride, rounded up.
class LeanDepthwise {
 public:
  // weight: (C, 1, 3, 3, 3)
  LeanDepthwise(const Tensor& weight, const Grid& stride);
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor weight_;
  Grid stride_;
};

// kernel x kernel patches that do not overlap, one slot at a time: (B, t, h, w, C) -> (B, t, h / kernel, w / kernel, C) in float32. What is
// left over at the right and the bottom is not read.
class LeanPatches {
 public:
  // weight: (C, 1, 1, kernel, kernel); type: of the maps.
  LeanPatches(const Tensor& weight, at::ScalarType type);
  Tensor operator()(const Tensor& x) const;
  // The same of `coarse` (B, t, h / r, w / r, C), each place of which stands for r x r, times `factor` (B, h, w, C), which is alike for all
  // slots, where fits(r): a coarse place's weighted factors are added up once for all slots.
  Tensor modulated(const Tensor& coarse, const Tensor& factor) const;
  bool fits(int64_t repeat) const { return kernel_ % repeat == 0; }

 private:
  Tensor weight_, cast_;  // (kernel, 1, kernel, C), in float32 and in the maps' type
  int64_t kernel_;
};

}  // namespace diffsal
