#pragma once
#include <optional>

#include "network/config.h"
#include "network/layers.h"

namespace diffsal {

// ResNet block of the noise encoder: two GroupNorm-SiLU-convolutions, the time's projection between them, dropout before
// the second. Maps are channels-last, (B, h, w, C).
class ResnetBlock {
 public:
  ResnetBlock(const Scope& scope, int64_t in, int64_t out, int64_t time_width, int64_t groups, double dropout);
  // time: the SiLU of the time's code.
  Tensor operator()(const Tensor& x, const Tensor& time, const Pass& pass) const;

 private:
  GroupNorm norm1_;
  Convolution conv1_;
  Linear temb_proj_;
  GroupNorm norm2_;
  Convolution conv2_;
  std::optional<Linear> nin_shortcut_;
  double dropout_;
};

// Section 4.2's noise encoder: the noisy map (B, 1, H, W) at time t -> channels-last maps coarse to fine, (B, H/2^i, W/2^i, C_i),
// i = 5..2. The released network has no block at H/4 and so gives one map fewer.
class NoiseEncoder {
 public:
  NoiseEncoder(const Scope& scope, const Config& config);
  // type: of the maps.
  std::vector<Tensor> operator()(const Tensor& x, const Tensor& t, at::ScalarType type, const Pass& pass) const;

 private:
  struct Stage {
    ResnetBlock block;
    Convolution shrink;
  };
  // conv_in_ and down1_, between which nothing bends, as one convolution: (B, 1, H, W) -> (B, H/4, W/4, C).
  Tensor enter(const Tensor& noisy) const;
  // The sine and cosine code of a diffusion time and two linear layers, (B,) -> (B, 4 width).
  Tensor time_code(const Tensor& t) const;

  Linear dense0_, dense1_;
  Convolution conv_in_, down1_;
  std::optional<ResnetBlock> res_in_;
  std::vector<Stage> stages_;
  int64_t width_;
  Derived<Convolution, 4> entrance_;
  Kept<int64_t, Tensor> frequencies_;
};

}  // namespace diffsal
