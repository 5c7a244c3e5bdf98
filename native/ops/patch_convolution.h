#pragma once
#include "ops/packed_linear.h"

namespace diffsal {

// Zeros before are at the top and the left, those after at the bottom and the right.
struct PatchGeometry {
  int64_t stride, before, after, dilation;
};

// A convolution of channels-last maps as one matrix product over gathered patches: (N, H, W, in) -> (N, h, w, out).
class PatchConvolution {
 public:
  // weight: (out, in, k, k)
  PatchConvolution(const at::Tensor& weight, at::Tensor bias, const PatchGeometry& geometry);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  PackedLinear product_;  // of (k k in)
  int64_t kernel_;
  PatchGeometry geometry_;
};

}  // namespace diffsal
