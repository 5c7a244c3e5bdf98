#include "network/pooled_attention.h"

#include <algorithm>

namespace diffsal {

PooledAttention::PooledAttention(const Scope& scope, const Options& o)
    : qkv_(scope / "qkv", o.in, 3 * o.out),
      proj_(scope / "proj", o.out, o.out),
      pool_q_(scope / "pool_q", o.out / o.heads, o.stride_q),
      pool_k_(scope / "pool_k", o.out / o.heads, o.stride_kv),
      pool_v_(scope / "pool_v", o.out / o.heads, o.stride_kv),
      norm_q_(scope / "norm_q", o.out / o.heads),
      norm_k_(scope / "norm_k", o.out / o.heads),
      norm_v_(scope / "norm_v", o.out / o.heads),
      heads_(o.heads) {
  int64_t channels = o.out / o.heads;
  // Both spatial tables take the grid's rows, as published checkpoints do (they were pre-trained on squares).
  int64_t side = 2 * std::max(o.pretrain_grid[1] / o.stride_q[1], o.pretrain_grid[1] / o.stride_kv[1]) - 1;
  positions_.h = scope.parameter("rel_pos_h", {side, channels}, Init::zeros);
  positions_.w = scope.parameter("rel_pos_w", {side, channels}, Init::zeros);
  positions_.t = scope.parameter("rel_pos_t", {2 * o.pretrain_grid[0] - 1, channels}, Init::zeros);
}

Tensor PooledAttention::operator()(const Tensor& x, const LayerNorm& norm, Grid& grid) const {
  auto parts = linear_of_norm(x, norm, qkv_).unflatten(2, {3, heads_, -1}).permute({2, 0, 3, 1, 4});  // (3, B, heads, 1 + n, C)
  Grid queries = grid, keys = grid, values = grid;
  auto q = pool_q_(parts[0], queries, norm_q_);
  auto k = pool_k_(parts[1], keys, norm_k_);
  auto v = pool_v_(parts[2], values, norm_v_);
  grid = queries;
  return positions_.attend(q, k, v, queries, keys);
}

}  // namespace diffsal
