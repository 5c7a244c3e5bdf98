#include "model/temporal_enhancement.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/scaled_dot_product_attention.h>

namespace diffsal {
namespace {

Scope attention(const Scope& scope) { return scope / "transformer" / "layers" / 0 / 0; }
Scope mlp(const Scope& scope) { return scope / "transformer" / "layers" / 0 / 1 / "net"; }

}  // namespace

TemporalEnhancement::TemporalEnhancement(const Scope& scope, const Config& config)
    : patch_norm_in_(scope / "to_patch_embedding" / 0, config.audio_encoder.channels()),
      patch_(scope / "to_patch_embedding" / 1, config.audio_encoder.channels(), config.audio_encoder.channels()),
      patch_norm_out_(scope / "to_patch_embedding" / 2, config.audio_encoder.channels()),
      pos_embedding_(scope.parameter("pos_embedding", {1, 1, config.slots(), 1, 1}, Init::normal)),
      attn_norm_(attention(scope) / "norm", config.audio_encoder.channels()),
      to_qkv_(attention(scope) / "to_qkv", config.audio_encoder.channels(), 3 * config.audio_encoder.heads * config.audio_encoder.head_dim, false),
      to_out_(attention(scope) / "to_out" / 0, config.audio_encoder.heads * config.audio_encoder.head_dim, config.audio_encoder.channels()),
      ff_norm_(mlp(scope) / 0, config.audio_encoder.channels()),
      ff_in_(mlp(scope) / 1, config.audio_encoder.channels(), config.audio_encoder.hidden),
      ff_out_(mlp(scope) / 4, config.audio_encoder.hidden, config.audio_encoder.channels()),
      norm_(scope / "transformer" / "norm", config.audio_encoder.channels()),
      heads_(config.audio_encoder.heads),
      released_(config.released()) {}

Tensor TemporalEnhancement::operator()(const Tensor& audio) const {
  auto a = audio.permute({0, 2, 3, 4, 1});  // B t h w C
  if (!released_) a = patch_norm_out_(patch_(patch_norm_in_(a))) + pos_embedding_.view({1, -1, 1, 1, 1});
  auto x = a.flatten(1, 3);
  auto qkv = to_qkv_(attn_norm_(x)).unflatten(2, {3, heads_, -1}).permute({2, 0, 3, 1, 4});
  auto s = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
  x = x + to_out_(s.transpose(1, 2).flatten(2));
  x = x + ff_out_(at::gelu(ff_in_(ff_norm_(x))));
  if (released_) x = norm_(x);
  return x.unflatten(1, {audio.size(2), audio.size(3), audio.size(4)}).permute({0, 4, 1, 2, 3});
}

}  // namespace diffsal
