#include "model/mam_stage.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/upsample_nearest2d.h>

namespace diffsal {

MAMBlock::MAMBlock(const Scope& scope, int64_t c, int64_t kernel, const Config& config)
    : align_conv_(scope / "align_conv", config.audio_encoder.channels(), c, {1, 1}),
      interaction_(scope / "interaction", c, config.interaction),
      released_(config.released()) {
  if (config.attention == Attention::none) {
    convolve_.emplace(Convolve{Convolution(scope / "conv1", c, c, {3, 3}, {.padding = {1, 1}}), BatchNorm(scope / "norm1", c)});
    return;
  }
  std::optional<int64_t> patch;
  if (config.attention == Attention::eca) patch = kernel;
  attend_.emplace(Attend{LayerNorm(scope / "norm", c), LayerNorm(scope / "norm2", c), Linear(scope / "mlp" / "fc1", c, 2 * c),
                         Linear(scope / "mlp" / "fc2", 2 * c, c), CrossAttention(scope / "attn", c, config.attention_heads, patch)});
}

Tensor MAMBlock::align(const Tensor& audio, const Tensor& x) const {
  return per_slot(audio, [&](const Tensor& y) { return at::upsample_nearest2d(align_conv_(y), {x.size(3), x.size(4)}); });
}

Tensor MAMBlock::operator()(const Tensor& x, const Tensor& audio, const Pass& pass) const {
  Interacted modulated{x, {}};
  if (audio.defined()) modulated = interaction_(x, align(audio, x));  // sees x before the norm
  const auto& [map, key] = modulated;
  if (attend_) return attend(map, key);
  return per_slot(key.defined() ? key : map, [&](const Tensor& y) { return convolve_->norm1(convolve_->conv1(y), pass); });
}

Tensor MAMBlock::attend(const Tensor& x, const Tensor& key) const {
  const auto& [norm, norm2, fc1, fc2, attn] = *attend_;
  int64_t B = x.size(0), C = x.size(1), t = x.size(2), h = x.size(3), w = x.size(4);
  auto n = norm.over_channels(x);
  Tensor y;
  if (released_) {
    // Every slot attends to itself alone, and the key's memory is read as (slot, h w, C) without a permute.
    auto fold = [&](const Tensor& z) { return z.transpose(1, 2).reshape({B * t, C, 1, h, w}); };
    auto k = key.defined() ? key.contiguous().view({B * t, h * w, C}).transpose(1, 2).reshape({B * t, C, 1, h, w}) : fold(n);
    y = attn(fold(n), k).reshape({B, t * h * w, C});
  } else {
    y = attn(n, key.defined() ? key : n);
  }
  y = y + x.flatten(2).transpose(1, 2);
  y = y + fc2(at::gelu(fc1(norm2(y))));
  return y.transpose(1, 2).unflatten(2, {t, h, w});
}

}  // namespace diffsal
