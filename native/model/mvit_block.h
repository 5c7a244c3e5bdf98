#pragma once
#include <optional>

#include "model/pooled_attention.h"

namespace diffsal {

// The side of the window by which the skip is max-pooled along an axis, padded by half of it.
inline int64_t skip_kernel(int64_t stride) { return stride > 1 ? stride + 1 : 1; }

// LayerNorm, pooled attention, LayerNorm, MLP, each with its residual connection. Where the attention pools its query,
// the skip is max-pooled alike; where it widens, the skip is projected.
class MViTBlock {
  friend class LeanMViT;
  friend class PreparedMViT;

 public:
  MViTBlock(const Scope& scope, const PooledAttention::Options& options, double mlp_ratio);
  Tensor operator()(const Tensor& x, Grid& grid) const;

 private:
  LayerNorm norm1_, norm2_;
  PooledAttention attn_;
  Linear fc1_, fc2_;
  std::optional<Linear> proj_;
  Grid stride_q_;
};

}  // namespace diffsal
