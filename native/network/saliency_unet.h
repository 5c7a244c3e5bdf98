#pragma once
#include <optional>

#include "network/features.h"
#include "network/mam_block.h"
#include "network/noise_encoder.h"
#include "ops/head.h"
#include "ops/upsampled_convolution.h"

namespace diffsal {

// x2 bilinear upsampling of every slot, then two dilated 3x3 convolution-BatchNorm-ReLU, of channels-last maps.
class UpEmbed {
 public:
  UpEmbed(const Scope& scope, int64_t in, int64_t out);
  // (B, t, h, w, in) -> (B, t, 2h, 2w, out), to which video (B, t - 1, 2h, 2w, out) and noise (B, 2h, 2w, out), the last slot's, are added
  // where they are defined.
  Tensor operator()(const Tensor& x, const Tensor& video, const Tensor& noise, const Pass& pass) const;

 private:
  UpsampledConvolution first_;
  NormedConvolution second_;
};

// g(S_t, t, f_a, f_v), eq. 6: the network predicts the clean map S0.
class SaliencyUNet {
 public:
  SaliencyUNet(const Scope& scope, const Config& config);

  // What no denoising step changes of a clip, in `type`. video: maps coarse to fine (B, C_i, t, h_i, w_i); audio: (B, Ca, t + 1, h, w) or undefined.
  // Video of one slot is a still's, which stands for all the clip's.
  PreparedClip prepare(const std::vector<Tensor>& video, const Tensor& audio, at::ScalarType type) const;
  // x: (B, 1, H, W) noisy map; t: (B,) times; clip: of prepare() -> (B, 1, H, W) in (0, 1). `activity`, where it is there, is given every stage's.
  Tensor operator()(const Tensor& x, const Tensor& t, const PreparedClip& clip, const Pass& pass, std::vector<Tensor>* activity = nullptr) const;

 private:
  struct Stage {
    std::optional<UpEmbed> patch_embed;
    MAMBlock block;
    LayerNorm norm;
    Convolution reduce;
  };
  NoiseEncoder noise_encoder_;
  std::vector<Stage> stages_;
  Head head_;
  int64_t height_, width_, slots_;
};

}  // namespace diffsal
