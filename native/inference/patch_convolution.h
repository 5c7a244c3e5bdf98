#pragma once
#include "inference/packed_linear.h"

namespace diffsal {

// A convolution of channels-last maps as one matrix product over gathered patches: (N, H, W, in) -> (N, h, w, out). `before` is the zero
// padding at the top and the left; at the bottom and the right there is as much as the result's size asks for.
class PatchConvolution {
 public:
  PatchConvolution() = default;
  // weight: (out, in, k, k)
  PatchConvolution(const at::Tensor& weight, at::Tensor bias, int64_t stride, int64_t before);
  at::Tensor operator()(const at::Tensor& x, int64_t height, int64_t width) const;

 private:
  PackedLinear product_;  // of (k k in)
  int64_t kernel_ = 0, stride_ = 1, before_ = 0;
};

}  // namespace diffsal
