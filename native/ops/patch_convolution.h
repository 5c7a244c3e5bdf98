#pragma once
#include "ops/packed_linear.h"

namespace diffsal {

// How a kernel goes over one of two dimensions. Zeros before are at the top or the left, those after at the bottom or the right.
struct PatchLine {
  int64_t kernel, stride, before, after, dilation;
  int64_t places(int64_t size) const { return (size + before + after - (dilation * (kernel - 1) + 1)) / stride + 1; }
  // Where a tap reads for a place, which may be among the zeros.
  int64_t at(int64_t place, int64_t tap) const { return place * stride + tap * dilation - before; }
};

// A convolution of channels-last maps as one matrix product over gathered patches: (N, H, W, in) -> (N, h, w, out).
class PatchConvolution {
 public:
  // weight: (out, in, rows.kernel, columns.kernel)
  PatchConvolution(const at::Tensor& weight, at::Tensor bias, const PatchLine& rows, const PatchLine& columns);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  PackedLinear product_;  // of (k l in)
  PatchLine rows_, columns_;
};

}  // namespace diffsal
