#pragma once
#include "network/config.h"
#include "network/layers.h"
#include "ops/mlp.h"

namespace diffsal {

// Section 4.1, eqs. 4-6: patch embedding, positional embedding and one transformer block over all slots of the VGGish
// channels-last maps, (B, slots, h, w, C) -> the same shape. The released program drops the embeddings and ends with a norm.
class TemporalEnhancement {
 public:
  TemporalEnhancement(const Scope& scope, const Config& config);
  Tensor operator()(const Tensor& audio) const;

 private:
  LayerNorm patch_norm_in_;
  Linear patch_;
  LayerNorm patch_norm_out_;
  Tensor pos_embedding_;
  LayerNorm attn_norm_;
  Linear to_qkv_, to_out_;
  MLP mlp_;
  LayerNorm norm_;
  int64_t heads_;
  bool released_;
};

}  // namespace diffsal
