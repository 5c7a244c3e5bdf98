#pragma once
#include "inference/packed_linear.h"

namespace diffsal {

// x + fc2(gelu(fc1(norm(x)))) in x (..., C), contiguous; some rows at a time, so that what is between the layers stays in a core's cache.
void add_mlp(Tensor& x, const LayerNorm& norm, const PackedLinear& fc1, const PackedLinear& fc2);

}  // namespace diffsal
