#pragma once
#include "inference/packed_linear.h"

namespace diffsal {

// x + fc2(gelu(fc1(norm(x)))) in x (..., C), contiguous; some rows at a time, so that what is between the layers stays in a core's cache.
void add_mlp(Tensor& x, const LayerNorm& norm, const PackedLinear& fc1, const PackedLinear& fc2);

// The same of `count` rows of x, one after the other in memory, on the calling thread. normed: memory for as many rows of C; hidden: of fc1's.
void add_mlp_rows(float* x, int64_t count, const LayerNorm& norm, const PackedLinear& fc1, const PackedLinear& fc2, float* normed, float* hidden);

}  // namespace diffsal
