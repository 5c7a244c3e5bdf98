#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

using at::Tensor;

// x2 bilinear upsampling, a 3x3 convolution with dilation 2, bias and ReLU, of channels-last maps: (N, h, w, in) -> (N, 2h, 2w, out). The
// convolution runs on the small map, and what it gives is upsampled by two matrix products, rows and then columns.
class DoubledConvolution {
 public:
  // weight: (out, in, 3, 3); bias: (out,); height, width: of the small map; type: of the maps.
  DoubledConvolution(const Tensor& weight, const Tensor& bias, int64_t height, int64_t width, at::ScalarType type);
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor weight_, bias_;
  Tensor places_, within_;  // of the extended map: the small map's place, (places,), and whether there is one, (places, 1)
  Tensor rows_, columns_;
};

}  // namespace diffsal
