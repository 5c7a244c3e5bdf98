#include "network/temporal_enhancement.h"

#include <ATen/TensorOperators.h>

#include <cmath>

#include "ops/attention.h"

namespace diffsal {
namespace {

Scope attention_scope(const Scope& scope) { return scope / "transformer" / "layers" / 0 / 0; }
Scope mlp_scope(const Scope& scope) { return scope / "transformer" / "layers" / 0 / 1 / "net"; }

}  // namespace

TemporalEnhancement::TemporalEnhancement(const Scope& scope, const Config& config)
    : patch_norm_in_(scope / "to_patch_embedding" / 0, config.audio_encoder.channels()),
      patch_(scope / "to_patch_embedding" / 1, config.audio_encoder.channels(), config.audio_encoder.channels()),
      patch_norm_out_(scope / "to_patch_embedding" / 2, config.audio_encoder.channels()),
      pos_embedding_(scope.parameter("pos_embedding", {1, 1, config.slots(), 1, 1}, Init::normal)),
      attn_norm_(attention_scope(scope) / "norm", config.audio_encoder.channels()),
      to_qkv_(attention_scope(scope) / "to_qkv", config.audio_encoder.channels(), 3 * config.audio_encoder.heads * config.audio_encoder.head_dim,
              false),
      to_out_(attention_scope(scope) / "to_out" / 0, config.audio_encoder.heads * config.audio_encoder.head_dim, config.audio_encoder.channels()),
      mlp_{LayerNorm(mlp_scope(scope) / 0, config.audio_encoder.channels()),
           Linear(mlp_scope(scope) / 1, config.audio_encoder.channels(), config.audio_encoder.hidden),
           Linear(mlp_scope(scope) / 4, config.audio_encoder.hidden, config.audio_encoder.channels())},
      norm_(scope / "transformer" / "norm", config.audio_encoder.channels()),
      heads_(config.audio_encoder.heads),
      released_(config.released()) {}

Tensor TemporalEnhancement::operator()(const Tensor& audio) const {
  auto a = audio;
  if (!released_) a = patch_norm_out_(linear_of_norm(a, patch_norm_in_, patch_)) + pos_embedding_.view({1, -1, 1, 1, 1}).to(a.scalar_type());
  auto x = a.flatten(1, 3);
  auto qkv = linear_of_norm(x, attn_norm_, to_qkv_).unflatten(2, {3, heads_, -1});  // (B, n, 3, heads, D)
  auto s = attention(qkv.select(2, 0), qkv.select(2, 1), qkv.select(2, 2), 1 / std::sqrt(static_cast<double>(qkv.size(4))));
  x = mlp_(to_out_.onto(x, s.flatten(2)));
  if (released_) x = norm_(x);
  return x.view(audio.sizes());
}

}  // namespace diffsal
