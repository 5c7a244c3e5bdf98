#include "ops/token_pooling.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/max_pool2d.h>

#include "ops/compression.h"
#include "ops/side.h"

namespace diffsal {

TokenPooling::TokenPooling(const Scope& scope, int64_t channels, const Grid& stride)
    : conv(scope, channels, channels, {3, 3, 3},
           {.stride = {stride[0], stride[1], stride[2]}, .padding = {1, 1, 1}, .groups = channels, .bias = false}) {}

Tensor TokenPooling::operator()(const Tensor& x, Grid& grid, const LayerNorm& norm) const {
  return on_packed_side(x, conv.weight, norm.weight, norm.bias) ? cpu(x, grid, norm) : torch(x, grid, norm);
}

Tensor TokenPooling::of_heads(int64_t heads, at::ScalarType type) const {
  auto repeated = [&](const Tensor& weight) { return weight.repeat({heads, 1, 1, 1, 1}); };
  if (wants_gradients(conv.weight)) return repeated(conv.weight);
  return of_heads_.of({conv.weight, heads, type}, [&] {
    auto weight = repeated(conv.weight.to(type));
    return weight.is_cpu() ? channels_last(weight) : weight;
  });
}

// All heads are channels of one map.
Tensor TokenPooling::torch(const Tensor& x, Grid& grid, const LayerNorm& norm) const {
  int64_t heads = x.size(1);
  auto tokens = x.transpose(1, 2);  // (B, 1 + n, heads, C)
  auto map = tokens.slice(1, 1).flatten(2, 3).unflatten(1, {grid[0], grid[1], grid[2]});
  auto y = depthwise_torch(map, of_heads(heads, x.scalar_type()), conv.options.stride);
  grid = {y.size(1), y.size(2), y.size(3)};
  auto pooled = y.flatten(1, 3).unflatten(2, {heads, -1});
  return norm(at::cat({tokens.slice(1, 0, 1), pooled}, 1)).transpose(1, 2);
}

Tensor max_pool_tokens(const Tensor& x, const Grid& grid, const Grid& stride) {
  return on_packed_side(x) ? max_pool_tokens_cpu(x.contiguous(), grid, stride) : max_pool_tokens_torch(x, grid, stride);
}

Tensor max_pool_tokens_torch(const Tensor& x, const Grid& grid, const Grid& stride) {
  auto maps = x.slice(1, 1).unflatten(1, {grid[0], grid[1], grid[2]}).flatten(0, 1).permute({0, 3, 1, 2});
  std::array<int64_t, 2> side = {window_side(stride[1]), window_side(stride[2])};
  auto pooled = at::max_pool2d(maps, side, {stride[1], stride[2]}, {side[0] / 2, side[1] / 2});
  return at::cat({x.slice(1, 0, 1), pooled.permute({0, 2, 3, 1}).reshape({x.size(0), -1, x.size(2)})}, 1);
}

}  // namespace diffsal
