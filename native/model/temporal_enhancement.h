#pragma once
#include "model/config.h"
#include "model/layers.h"

namespace diffsal {

// Section 4.1, eqs. 4-6: patch embedding, positional embedding and one transformer block over all slots of the VGGish
// maps, (B, C, slots, h, w) -> the same shape. The released program drops the embeddings and ends with a norm.
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
  LayerNorm ff_norm_;
  Linear ff_in_, ff_out_;
  LayerNorm norm_;
  int64_t heads_;
  bool released_;
};

}  // namespace diffsal
