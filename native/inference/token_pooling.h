#pragma once
#include "model/layers.h"
#include "model/relative_position.h"

namespace diffsal {

// A depthwise 3x3x3 convolution of the patch tokens on their grid, then a layer norm of all tokens; the class token is not convolved.
// x: (B, heads, 1 + n, C), any strides but the last -> (B, heads, 1 + n', C) contiguous; grid becomes the pooled one.
Tensor pool_and_norm(const Tensor& x, Grid& grid, const Convolution& pool, const LayerNorm& norm);

// The greatest value under a window of `stride` + 1 (1 where the stride is 1) on the patch tokens' grid, padded by half of it; the class token
// passes. x: (B, 1 + n, C) contiguous -> (B, 1 + n', C).
Tensor max_pool_tokens(const Tensor& x, const Grid& grid, const Grid& stride);

}  // namespace diffsal
