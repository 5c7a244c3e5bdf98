#include "inference/lean_block.h"

#include <ATen/ops/softmax.h>
#include <ATen/ops/sum.h>

#include <cmath>

#include "inference/cast_source.h"
#include "inference/folding.h"
#include "inference/lean_attention.h"
#include "inference/lean_mlp.h"

namespace diffsal {
namespace {

Linear linear_of(const Tensor& weight, const Tensor& bias, at::ScalarType type) { return cast(Linear(weight, bias), type); }

Linear pointwise(const Convolution& convolution, at::ScalarType type) { return linear_of(matrix(convolution.weight), convolution.bias, type); }

// A map (B, t, h, w, C) with each place of the coarse grid on axes of its own, (B, t, ha, h / ha, wa, w / wa, C), and the sound beside it.
Tensor in_cells(const Tensor& x, const Tensor& sound) {
  int64_t ha = sound.size(2), wa = sound.size(3);
  return x.unflatten(3, {wa, x.size(3) / wa}).unflatten(2, {ha, x.size(2) / ha});
}
Tensor over_cells(const Tensor& sound) { return sound.unsqueeze(4).unsqueeze(3); }

// Eq. 9's factor: softmax along the width of the mean over the slots of sound * x -> (B, h, w, C), float32.
Tensor agreement(const Tensor& x, const Tensor& sound) {
  auto mean = (in_cells(x, sound) * over_cells(sound)).sum(1, false, at::kFloat).div_(static_cast<double>(x.size(1)));
  return at::softmax(mean.flatten(3, 4).flatten(1, 2), 2);
}

}  // namespace

LeanBlock::Attend LeanBlock::attention_of(const MAMBlock& block, at::ScalarType type) {
  const auto& a = block.attend_->attn;
  // The scores' scale rides on the keys.
  double scale = 1 / std::sqrt(static_cast<double>(a.proj_k_.weight.size(0)));
  Attend made{cast(block.attend_->norm, type),
              cast(block.attend_->norm2, type),
              cast(a.proj_q_, type),
              linear_of(a.proj_k_.weight * scale, a.proj_k_.bias * scale, type),
              cast(a.proj_v_, type),
              cast(a.proj_, type),
              cast(block.attend_->fc1, type),
              cast(block.attend_->fc2, type),
              {}, {}, {}, {}, {}, {}};
  if (!a.conv_proj_q_) return made;
  made.queries.emplace(a.conv_proj_q_->conv_.weight.to(type), Grid{1, 1, 1});
  made.keys.emplace(a.conv_proj_k_->conv_.weight, type);
  made.values.emplace(a.conv_proj_v_->conv_.weight, type);
  made.norm_q = cast(a.conv_proj_q_->bn_, type);
  // Patches are float32 until after their norm, which is of few.
  made.norm_k = a.conv_proj_k_->bn_;
  made.norm_v = a.conv_proj_v_->bn_;
  return made;
}

LeanBlock::LeanBlock(const MAMBlock& block, const Config& config, at::ScalarType type)
    : interaction_(config.interaction), released_(config.released()), heads_(config.attention_heads), align_(pointwise(block.align_conv_, type)) {
  const auto& join = block.interaction_;
  if (join.fuse_) {
    auto [of_map, of_sound] = halves(*join.fuse_);
    fuse_ = linear_of(of_map, {}, type);
    fuse_a_ = linear_of(of_sound, join.fuse_->bias, type);
  }
  if (join.fuse_x_) fuse_x_ = pointwise(*join.fuse_x_, type);
  if (join.fuse_a_) fuse_a_ = pointwise(*join.fuse_a_, type);
  if (join.fuse_out_) fuse_out_ = pointwise(*join.fuse_out_, type);
  if (block.attend_) {
    attend_ = attention_of(block, type);
    return;
  }
  auto folded = fold(block.convolve_->conv1, block.convolve_->norm1);
  convolution_ = block.convolve_->conv1;
  convolution_->weight = channels_last(folded.weight.to(type));
  convolution_->bias = folded.bias.to(type);
}

Tensor LeanBlock::hear(const Tensor& audio) const {
  if (interaction_ == InteractionKind::off) return {};
  auto aligned = align_(audio.permute({0, 2, 3, 4, 1}));
  return (fuse_a_ ? (*fuse_a_)(aligned) : aligned).contiguous();
}

// The attention's key, undefined where it is the map itself; a residual interaction changes the map instead.
Tensor LeanBlock::key_map(Tensor& x, const Tensor& sound) const {
  if (!sound.defined()) return {};
  auto joined = [&](const Tensor& map, auto operation) { return operation(in_cells(map, sound), over_cells(sound)).reshape(x.sizes()); };
  auto add = [](const Tensor& a, const Tensor& b) { return a + b; };
  auto multiply = [](const Tensor& a, const Tensor& b) { return a * b; };
  switch (interaction_) {
    case InteractionKind::mim:
      return joined(agreement(x, sound).to(x.scalar_type()).unsqueeze(1), multiply);
    case InteractionKind::addition:
      return joined(x, add);
    case InteractionKind::concatenation:
      return joined((*fuse_)(x), add);
    case InteractionKind::bilinear:
      return joined((*fuse_x_)(x), multiply);
    case InteractionKind::residual:
      x = x + (*fuse_out_)(joined((*fuse_x_)(x), multiply));
      return {};
    case InteractionKind::off:
      return {};
  }
  return {};
}

Tensor LeanBlock::operator()(const Tensor& x, const Tensor& sound) const { return attend_ ? attend(x, sound) : convolve(x, sound); }

Tensor LeanBlock::convolve(Tensor x, const Tensor& sound) const {
  auto key = key_map(x, sound);
  auto maps = (key.defined() ? key : x).flatten(0, 1).permute({0, 3, 1, 2});
  return (*convolution_)(maps).permute({0, 2, 3, 1}).contiguous().view(x.sizes());
}

Tensor LeanBlock::attend(Tensor x, const Tensor& sound) const {
  const auto& a = *attend_;
  auto type = x.scalar_type();
  int64_t slots = x.size(1), channels = x.size(4);
  Tensor keys, n;
  if (interaction_ == InteractionKind::mim && a.keys && sound.defined() && !released_ && a.keys->fits(x.size(3) / sound.size(3))) {
    keys = a.keys->modulated(sound, agreement(x, sound));
    n = a.norm(x);
  } else {
    auto key = key_map(x, sound);
    n = a.norm(x);
    // The released program reads the key's memory, channels first, as (slot, h w, C).
    if (key.defined() && released_) key = key.permute({0, 4, 1, 2, 3}).contiguous().view(x.sizes());
    if (!key.defined()) key = n;
    keys = a.keys ? (*a.keys)(key) : key;
  }
  auto values = a.values ? (*a.values)(n) : n;
  if (a.keys) {
    keys = (*a.norm_k)(keys).to(type);
    values = (*a.norm_v)(values).to(type);
  }
  // Tokens that attend together: a sample's, or in the released program a slot's.
  int64_t groups = released_ ? x.size(0) * slots : x.size(0);
  auto map = n.view({groups, -1, x.size(2), x.size(3), channels});
  auto queries = a.queries ? (*a.norm_q)((*a.queries)(map)) : map;
  auto split = [&](const Tensor& y) { return y.reshape({groups, -1, heads_, channels / heads_}); };
  auto y = lean_attention(split(a.proj_q(queries)), split(a.proj_k(keys)), split(a.proj_v(values)));
  y = a.proj(y.flatten(2).view(x.sizes())).add_(x);
  lean_mlp(y, a.norm2, a.fc1, a.fc2);
  return y;
}

}  // namespace diffsal
