#pragma once
#include <optional>
#include <vector>

#include "model/noise_encoder.h"

namespace diffsal {

// The noise encoder for predicting: channels-last maps, the first two convolutions as one (in float32, as the noisy map), and the time's
// projections of all blocks in one product.
class LeanNoise {
 public:
  LeanNoise(const NoiseEncoder& encoder, at::ScalarType type);
  // x: (B, 1, H, W) and t: (B,) -> maps (B, h, w, C), coarse to fine.
  std::vector<Tensor> operator()(const Tensor& x, const Tensor& t) const;

 private:
  struct Block {
    GroupNorm norm1;
    Convolution conv1;  // its bias is in `time_bias_`
    GroupNorm norm2;
    Convolution conv2;
    std::optional<Convolution> shortcut;
    Tensor operator()(const Tensor& x, const Tensor& time) const;
  };
  Block prepare(const ResnetBlock& block, std::vector<Tensor>& weights, std::vector<Tensor>& biases) const;

  at::ScalarType type_;
  Tensor frequencies_;
  Linear dense0_, dense1_;
  Convolution first_;
  Tensor time_weight_, time_bias_;     // of all blocks, float32
  std::vector<int64_t> time_channels_;  // of each
  std::vector<Block> blocks_;
  std::vector<Convolution> shrinks_;  // after the last blocks
};

}  // namespace diffsal
