#pragma once
#include <optional>

#include "network/pooled_attention.h"
#include "ops/mlp.h"

namespace diffsal {

// LayerNorm, pooled attention, LayerNorm, MLP, each with its residual connection. Where the attention pools its query,
// the skip is max-pooled alike; where it widens, the skip is projected.
class MViTBlock {
 public:
  MViTBlock(const Scope& scope, const PooledAttention::Options& options, double mlp_ratio);
  // x: tokens (B, 1 + n, C), its caller's own where the block does not widen.
  Tensor operator()(const Tensor& x, Grid& grid) const;

 private:
  LayerNorm norm1_;
  PooledAttention attn_;
  MLP mlp_;
  std::optional<Linear> proj_;
  Grid stride_q_;
};

}  // namespace diffsal
