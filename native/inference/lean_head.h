#pragma once
#include <vector>

#include "model/layers.h"

namespace diffsal {

// The Saliency-UNet's end: the stages' maps, each brought to half the clip's size and summed, through a 3x3 convolution, ReLU and the logits'
// sigmoid. The convolution's nine taps run on each stage's own map; interpolation, the taps' moves and the sums are matrix products with
// constant matrices, columns for each stage, then rows for all of them in one.
class LeanHead {
 public:
  // weight: (out, in, 3, 3) and bias: of the convolution; last: of the logits; sizes: (h, w) of each stage's map, each of which is upsampled
  // to 16 times the first.
  LeanHead(const Tensor& weight, const Tensor& bias, const Convolution& last, const std::vector<std::array<int64_t, 2>>& sizes, at::ScalarType type);
  // maps: (B, h, w, in) -> (B, 1, 16 h_0, 16 w_0) in float32.
  Tensor operator()(const std::vector<Tensor>& maps) const;

 private:
  Tensor taps_, bias_;  // (9 out, in), and (out,)
  Linear last_;         // float32
  std::vector<Tensor> columns_;
  Tensor rows_;
};

}  // namespace diffsal
