#pragma once
#include "model/layers.h"
#include "model/relative_position.h"

namespace diffsal {

// Applies `pool` to the patch tokens on their grid and passes the class token by. x: (B, heads, 1 + n, C); grid becomes
// the pooled grid.
template <typename Pool>
Tensor pool_tokens(const Tensor& x, Grid& grid, Pool pool);

// MViTv2's attention: depthwise pooling of q, k and v, decomposed relative positions and a residual connection from the
// pooled query.
class PooledAttention {
  friend class LeanMViT;
  friend class PreparedMViT;

 public:
  struct Options {
    int64_t in, out, heads;
    Grid stride_q, stride_kv;
    Grid pretrain_grid;  // sets the length of the relative-position tables
  };
  PooledAttention(const Scope& scope, const Options& options);

  // (B, 1 + n, in) -> (B, 1 + n', out); grid becomes the pooled query's.
  Tensor operator()(const Tensor& x, Grid& grid) const;

 private:
  // q, k and v before their pooling, (3, B, heads, 1 + n, C), of qkv_'s result.
  Tensor split(const Tensor& qkv) const { return qkv.unflatten(2, {3, heads_, -1}).permute({2, 0, 3, 1, 4}); }

  Linear qkv_, proj_;
  Convolution pool_q_, pool_k_, pool_v_;
  LayerNorm norm_q_, norm_k_, norm_v_;
  Tensor rel_pos_h_, rel_pos_w_, rel_pos_t_;
  int64_t heads_;
};

}  // namespace diffsal

#include <ATen/ops/cat.h>

template <typename Pool>
diffsal::Tensor diffsal::pool_tokens(const Tensor& x, Grid& grid, Pool pool) {
  auto patches = x.slice(2, 1).flatten(0, 1).transpose(1, 2).unflatten(2, {grid[0], grid[1], grid[2]});
  auto y = pool(patches);
  grid = {y.size(2), y.size(3), y.size(4)};
  y = y.flatten(2).transpose(1, 2).unflatten(0, {x.size(0), x.size(1)});
  return at::cat({x.slice(2, 0, 1), y}, 2);
}
