#pragma once
#include <optional>
#include <vector>

#include "inference/packed_linear.h"
#include "inference/prepared_block.h"
#include "inference/prepared_noise.h"
#include "inference/upsampled_taps.h"
#include "model/features.h"
#include "model/saliency_unet.h"

namespace diffsal {

// The Saliency-UNet for inference on the CPU in float32: the same function as SaliencyUNet with less arithmetic and memory traffic. It
// refers to the network's parameters and keeps copies of some in other shapes, so it ends with them, or with their change.
class PreparedUNet {
 public:
  PreparedUNet(const SaliencyUNet& unet, const Config& config);

  PreparedClip prepare(const std::vector<Tensor>& video, const Tensor& audio) const;
  // x: (B, 1, H, W) noisy map; t: (B,) times; clip: of this UNet -> (B, 1, H, W).
  Tensor operator()(const Tensor& x, const Tensor& t, const PreparedClip& clip) const;

 private:
  struct Up {
    PackedLinear taps;
    Tensor bias;
    WinogradConvolution conv2;
    Tensor bias2;
  };
  struct Stage {
    std::optional<Up> up;
    PreparedBlock block;
    Packed reduce;  // (5 C, width), the temporal convolution
  };
  Tensor enlarge(const Up& up, const Tensor& x, const Tensor& video, const Tensor& noise) const;
  Tensor reduce(const Stage& stage, const Tensor& normed) const;
  Tensor predict(const std::vector<Tensor>& products) const;

  const SaliencyUNet& unet_;
  Config config_;
  PreparedNoise noise_;
  std::vector<Stage> stages_;
  PackedLinear taps_;
  Tensor bias_;
  int64_t stride_;  // of the temporal convolution
};

}  // namespace diffsal
