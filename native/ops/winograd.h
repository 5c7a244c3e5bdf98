#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "ops/matrix_product.h"

namespace diffsal {

// What is done with a convolution's sum: act(sum + bias) + residual, where the residual is another map's memory for an image, or null.
struct Epilogue {
  at::Tensor bias;  // (out,) or, one for each image, (N, out)
  bool relu = false;
  std::function<const float*(int64_t image)> residual = {};
};

// A 3x3 convolution with stride 1 and as much zero padding as dilation, by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2015):
// 36 products instead of 144 for each 4x4 places of the result. Of dilation d it is d² convolutions on the grids of every d-th place.
class WinogradConvolution {
 public:
  WinogradConvolution() = default;
  // weight: (out, in, 3, 3). The filters' transform takes four times its memory.
  WinogradConvolution(const at::Tensor& weight, int64_t dilation);
  // (N, H, W, in) -> (N, H, W, out)
  at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const;

 private:
  std::vector<Packed> filters_;  // 36 of (in, out)
  int64_t dilation_ = 1;
};

}  // namespace diffsal
