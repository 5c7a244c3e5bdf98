#pragma once
#include <optional>

#include "model/mam_stage.h"
#include "model/noise_encoder.h"

namespace diffsal {

// x2 bilinear upsampling of every slot, then two dilated 3x3 convolution-BatchNorm-ReLU.
class UpEmbed {
  friend class LeanUNet;
  friend class PreparedUNet;

 public:
  UpEmbed(const Scope& scope, int64_t in, int64_t out);
  Tensor operator()(const Tensor& x, const Pass& pass) const;

 private:
  Convolution conv1_;
  BatchNorm norm1_;
  Convolution conv2_;
  BatchNorm norm2_;
};

// g(S_t, t, f_a, f_v), eq. 6: the network predicts the clean map S0.
class SaliencyUNet {
  friend class LeanUNet;
  friend class PreparedUNet;

 public:
  SaliencyUNet(const Scope& scope, const Config& config);

  // x: (B, 1, H, W) noisy map; t: (B,) times; video: maps coarse to fine (B, C_i, t, h_i, w_i); audio: (B, Ca, t + 1, h, w)
  // or undefined -> (B, 1, H, W) in (0, 1).
  Tensor operator()(const Tensor& x, const Tensor& t, const std::vector<Tensor>& video, const Tensor& audio, const Pass& pass) const;

 private:
  struct Stage {
    std::optional<UpEmbed> patch_embed;
    MAMBlock block;
    LayerNorm norm;
    Convolution reduce;
  };
  NoiseEncoder noise_encoder_;
  std::vector<Stage> stages_;
  Convolution mt_proj_;
  BatchNorm mt_norm_;
  Convolution linear_pred_;
  int64_t height_, width_;
};

}  // namespace diffsal
