#pragma once
#include "ops/convolution.h"
#include "ops/relative_position.h"

namespace diffsal {

// MViTv2's pooling of tokens on their grid. The first token is the class token, which is at no place and passes.

// A depthwise convolution of kernel 3x3x3 and padding 1, all heads by the same weights, then a layer norm of all tokens.
struct TokenPooling {
  TokenPooling(const Scope& scope, int64_t channels, const Grid& stride);

  // x: (B, heads, 1 + n, C), contiguous from head to channel in a token -> (B, heads, 1 + n', C); grid becomes the pooled one.
  Tensor operator()(const Tensor& x, Grid& grid, const LayerNorm& norm) const;

  Convolution conv;

 private:
  Tensor torch(const Tensor& x, Grid& grid, const LayerNorm& norm) const;
  Tensor cpu(const Tensor& x, Grid& grid, const LayerNorm& norm) const;
  // The weights of all heads, (heads C, 1, 3, 3, 3).
  Tensor of_heads(int64_t heads, at::ScalarType type) const;

  Derived<Tensor, 1> taps_;  // (27, C)
  struct Key {
    Version weight;
    int64_t heads = 0;
    at::ScalarType type = at::kFloat;
    bool operator==(const Key&) const = default;
  };
  Kept<Key, Tensor> of_heads_;
};

// The greatest value under a window of `stride` + 1 (1 where the stride is 1) within the slot, padded by half of it: (B, 1 + n, C) -> (B, 1 + n', C).
// The stride of slots is 1.
Tensor max_pool_tokens(const Tensor& x, const Grid& grid, const Grid& stride);

// Its sides.
Tensor max_pool_tokens_torch(const Tensor& x, const Grid& grid, const Grid& stride);
Tensor max_pool_tokens_cpu(const Tensor& x, const Grid& grid, const Grid& stride);

// The side of the window by which tokens are max-pooled along an axis.
inline int64_t window_side(int64_t stride) { return stride > 1 ? stride + 1 : 1; }

}  // namespace diffsal
