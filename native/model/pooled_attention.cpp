#include "model/pooled_attention.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <cmath>

namespace diffsal {
namespace {

Convolution pooling(const Scope& scope, int64_t channels, const Grid& stride) {
  return Convolution(scope, channels, channels, {3, 3, 3},
                     {.stride = {stride[0], stride[1], stride[2]}, .padding = {1, 1, 1}, .groups = channels, .bias = false});
}

}  // namespace

PooledAttention::PooledAttention(const Scope& scope, const Options& o)
    : qkv_(scope / "qkv", o.in, 3 * o.out),
      proj_(scope / "proj", o.out, o.out),
      pool_q_(pooling(scope / "pool_q", o.out / o.heads, o.stride_q)),
      pool_k_(pooling(scope / "pool_k", o.out / o.heads, o.stride_kv)),
      pool_v_(pooling(scope / "pool_v", o.out / o.heads, o.stride_kv)),
      norm_q_(scope / "norm_q", o.out / o.heads),
      norm_k_(scope / "norm_k", o.out / o.heads),
      norm_v_(scope / "norm_v", o.out / o.heads),
      heads_(o.heads) {
  int64_t channels = o.out / o.heads;
  // Both spatial tables take the grid's rows, as published checkpoints do (they were pre-trained on squares).
  int64_t side = 2 * std::max(o.pretrain_grid[1] / o.stride_q[1], o.pretrain_grid[1] / o.stride_kv[1]) - 1;
  rel_pos_h_ = scope.parameter("rel_pos_h", {side, channels}, Init::zeros);
  rel_pos_w_ = scope.parameter("rel_pos_w", {side, channels}, Init::zeros);
  rel_pos_t_ = scope.parameter("rel_pos_t", {2 * o.pretrain_grid[0] - 1, channels}, Init::zeros);
}

Tensor PooledAttention::operator()(const Tensor& x, Grid& grid) const {
  auto parts = split(qkv_(x));
  Grid queries = grid, keys = grid, values = grid;
  auto q = norm_q_(pool_tokens(parts[0], queries, pool_q_));
  auto k = norm_k_(pool_tokens(parts[1], keys, pool_k_));
  auto v = norm_v_(pool_tokens(parts[2], values, pool_v_));

  // The relative position takes the unscaled query; the class token (the first row on both sides) has none.
  auto patches = q.slice(2, 1);
  auto position = relative_position_channels(patches, queries, keys, rel_pos_t_, rel_pos_h_, rel_pos_w_);
  auto one_hot = one_hot_positions(keys, k.options()).expand({k.size(0), k.size(1), -1, -1});
  auto query = at::cat({q * (1 / std::sqrt(static_cast<double>(q.size(3)))), at::constant_pad_nd(position, {0, 0, 1, 0})}, -1);
  auto key = at::cat({k, at::constant_pad_nd(one_hot, {0, 0, 1, 0})}, -1);
  auto y = at::matmul(at::softmax(at::matmul(query, key.transpose(2, 3)), -1), v);
  y = y + at::constant_pad_nd(patches, {0, 0, 1, 0});  // the class token gets no residual

  grid = queries;
  return proj_(y.transpose(1, 2).flatten(2));
}

}  // namespace diffsal
