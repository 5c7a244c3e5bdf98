#pragma once
#include "network/layers.h"
#include "ops/position_attention.h"
#include "ops/token_pooling.h"

namespace diffsal {

// MViTv2's attention: depthwise pooling of q, k and v, decomposed relative positions and a residual connection from the
// pooled query.
class PooledAttention {
 public:
  struct Options {
    int64_t in, out, heads;
    Grid stride_q, stride_kv;
    Grid pretrain_grid;  // sets the length of the relative-position tables
  };
  PooledAttention(const Scope& scope, const Options& options);

  // Of norm(x), (B, 1 + n, in), without the last projection -> (B, 1 + n', out); grid becomes the pooled query's.
  Tensor operator()(const Tensor& x, const LayerNorm& norm, Grid& grid) const;
  const Linear& projection() const { return proj_; }

 private:
  Linear qkv_, proj_;
  TokenPooling pool_q_, pool_k_, pool_v_;
  LayerNorm norm_q_, norm_k_, norm_v_;
  RelativePositions positions_;
  int64_t heads_;
};

}  // namespace diffsal
