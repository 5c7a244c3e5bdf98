#include "network/mam_block.h"

#include "network/still.h"

namespace diffsal {

MAMBlock::MAMBlock(const Scope& scope, int64_t c, int64_t kernel, const Config& config)
    : align_(Linear::pointwise(scope / "align_conv", config.audio_encoder.channels(), c, 2)),
      interaction_(scope / "interaction", c, config.interaction),
      released_(config.released()) {
  if (config.attention == Attention::none) {
    Convolution convolution(scope / "conv1", c, c, {3, 3}, {.padding = {1, 1}});
    convolve_.emplace(std::move(convolution), BatchNorm(scope / "norm1", c));
    return;
  }
  std::optional<int64_t> patch;
  if (config.attention == Attention::eca) patch = kernel;
  LayerNorm norm(scope / "norm", c);
  MLP mlp{LayerNorm(scope / "norm2", c), Linear(scope / "mlp" / "fc1", c, 2 * c), Linear(scope / "mlp" / "fc2", 2 * c, c)};
  attend_.emplace(Attend{std::move(norm), std::move(mlp), CrossAttention(scope / "attn", c, config.attention_heads, patch)});
}

// Nearest upsampling to the stage's grid comes after the convolution of kernel 1, and is left to what reads the sound.
Tensor MAMBlock::hear(const Tensor& audio) const { return interaction_.hear(align_(audio)); }

Attended MAMBlock::operator()(const Tensor& x, const Tensor& sound, const LayerNorm& next, int64_t read, bool read_alone, const Pass& pass,
                              Tensor* activity) const {
  auto interacted = interaction_(x, sound, pass.still() ? slot_counts(pass.picture_slots + 1, x) : Tensor());  // sees x before the norm
  if (activity) *activity = interacted.key.factor;
  if (attend_) return attend(interacted, next, {released_, read, read_alone, pass.still()}, pass.picture_slots);
  const auto& [map, key] = interacted;
  auto y = (*convolve_)((key.sound.defined() ? key.map() : map).flatten(0, 1), pass).unflatten(0, {x.size(0), x.size(1)});
  return {y, read_slots(y, next, read)};
}

Attended MAMBlock::attend(const Interacted& interacted, const LayerNorm& next, const Attending& attending, int64_t picture_slots) const {
  const auto& [norm, mlp, attn] = *attend_;
  const auto& x = interacted.map;
  auto n = norm(x);
  auto key = interacted.key;
  if (!key.sound.defined()) key = {n, {}};
  // The released program reads the key's memory, channels first, as (slot, h w, C).
  else if (released_) key = {key.map().permute({0, 4, 1, 2, 3}).contiguous().view(x.sizes()), {}};
  // Tokens that attend together: a sample's, or in the released program a slot's.
  auto grouped = [&](const Tensor& tokens) {
    if (attending.still) return in_slots(tokens.reshape({x.size(0), 2, -1, x.size(4)}), 1, picture_slots + 1).flatten(1, 2);
    return tokens.reshape({released_ ? x.size(0) * x.size(1) : x.size(0), -1, x.size(4)});
  };
  auto keys = grouped(attn.conv_proj_k ? attn.conv_proj_k->tokens(key) : key.map());
  auto values = grouped(attn.conv_proj_v ? attn.conv_proj_v->tokens(n) : n);
  return diffsal::attend(x, n, keys, values, attn, mlp, next, attending);
}

}  // namespace diffsal
