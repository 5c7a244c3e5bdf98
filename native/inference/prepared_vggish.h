#pragma once
#include <vector>

#include "inference/patch_convolution.h"
#include "inference/winograd.h"
#include "model/vggish.h"

namespace diffsal {

// VGGish for inference on the CPU: the same function as VGGish, channels-last. It keeps its filters transformed, in four times their memory,
// so it ends with the network's parameters, or with their change.
class PreparedVGGish {
 public:
  explicit PreparedVGGish(const VGGish& net);
  Tensor operator()(const Tensor& mel) const;

 private:
  struct Layer {
    WinogradConvolution convolution;
    Tensor bias;
  };
  // One resolution's further convolutions and its pooling, (N, h, w, C) -> (N, h / 2, w / 2, C').
  static Tensor run(const std::vector<Layer>& stage, Tensor x);

  PatchConvolution first_;  // of one channel, for which the transform would not pay
  std::vector<std::vector<Layer>> stages_;
};

}  // namespace diffsal
