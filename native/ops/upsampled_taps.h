#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace diffsal {

// A 3x3 convolution on a map that bilinear upsampling made `factor` times as large: both are linear, so the nine taps' 1x1 products run on
// the small map, and only the nine results are upsampled, moved and added. `dilation` is also the zero padding.
struct UpsampledTaps {
  int64_t height, width;  // of the small map
  int64_t channels;       // out
  int64_t factor, dilation;

  int64_t rows() const { return height * factor; }
  int64_t columns() const { return width * factor; }

  // The row `y` of the large result, (columns, channels), from the taps' products (height, width, 9, channels), written or added.
  // `scratch` is what a thread calculates with.
  void row(const float* products, int64_t y, bool add, float* to, std::vector<float>& scratch) const;
};

// (out, in, 3, 3) -> (9 out, in), the matrix of the taps' products.
at::Tensor tap_matrix(const at::Tensor& weight);

}  // namespace diffsal
