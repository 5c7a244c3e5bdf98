#pragma once
#include <ATen/ops/silu.h>

#include <optional>

#include "model/config.h"
#include "model/layers.h"

namespace diffsal {

// The frequencies of the code of a diffusion time, (width / 2,).
Tensor timestep_frequencies(int64_t width, const at::TensorOptions& options);
// The sine and cosine code of a diffusion time, (B,) -> (B, width).
Tensor timestep_embedding(const Tensor& t, const Tensor& frequencies);
// What the blocks project of it, (B,) -> (B, 4 width), by a linear layer of whatever form, SiLU and another.
template <typename Layer>
Tensor timestep_code(const Tensor& t, const Tensor& frequencies, const Layer& dense0, const Layer& dense1) {
  return dense1(at::silu(dense0(timestep_embedding(t, frequencies))));
}

// ResNet block of the noise encoder: two GroupNorm-SiLU-convolutions, the time's projection between them, dropout before
// the second.
class ResnetBlock {
  friend class LeanNoise;
  friend class PreparedNoise;

 public:
  ResnetBlock(const Scope& scope, int64_t in, int64_t out, int64_t time_width, int64_t groups, double dropout);
  Tensor operator()(const Tensor& x, const Tensor& time, const Pass& pass) const;

 private:
  GroupNorm norm1_;
  Convolution conv1_;
  Linear temb_proj_;
  GroupNorm norm2_;
  Convolution conv2_;
  std::optional<Convolution> nin_shortcut_;
  double dropout_;
};

// Section 4.2's noise encoder: the noisy map (B, 1, H, W) at time t -> maps coarse to fine, (B, C_i, 1, H/2^i, W/2^i),
// i = 5..2. The released network has no block at H/4 and so gives one map fewer.
class NoiseEncoder {
  friend class LeanNoise;
  friend class PreparedNoise;

 public:
  NoiseEncoder(const Scope& scope, const Config& config);
  std::vector<Tensor> operator()(const Tensor& x, const Tensor& t, const Pass& pass) const;

 private:
  struct Stage {
    ResnetBlock block;
    Convolution shrink;
  };
  Linear dense0_, dense1_;
  Convolution conv_in_, down1_;
  std::optional<ResnetBlock> res_in_;
  std::vector<Stage> stages_;
  int64_t width_;
};

}  // namespace diffsal
