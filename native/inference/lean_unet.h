#pragma once
#include <optional>
#include <vector>

#include "inference/doubled_convolution.h"
#include "inference/lean_block.h"
#include "inference/lean_head.h"
#include "inference/lean_noise.h"
#include "model/features.h"
#include "model/saliency_unet.h"

namespace diffsal {

// The Saliency-UNet for predicting by libtorch's operators: the same function as SaliencyUNet in float32 or bfloat16, with fewer operators
// and less arithmetic, channels-last. What it makes of the parameters is its own.
class LeanUNet {
 public:
  LeanUNet(const SaliencyUNet& unet, const Config& config, at::ScalarType type);

  PreparedClip prepare(const std::vector<Tensor>& video, const Tensor& audio) const;
  // x: (B, 1, H, W) noisy map; t: (B,) times; clip: of this UNet -> (B, 1, H, W), float32.
  Tensor operator()(const Tensor& x, const Tensor& t, const PreparedClip& clip) const;

 private:
  struct Up {
    DoubledConvolution conv1;
    Convolution conv2;
    Tensor operator()(const Tensor& x) const;
  };
  struct Stage {
    std::optional<Up> up;
    LeanBlock block;
    LayerNorm norm;
    Convolution temporal;
    // (B, t, h, w, C) -> (B, h, w, width): the temporal convolution's results' mean.
    Tensor reduce(const Tensor& x) const;
  };
  static LeanHead head_of(const SaliencyUNet& unet, const Config& config, at::ScalarType type);

  at::ScalarType type_;
  int64_t height_, width_;
  LeanNoise noise_;
  std::vector<Stage> stages_;
  LeanHead head_;
};

}  // namespace diffsal
