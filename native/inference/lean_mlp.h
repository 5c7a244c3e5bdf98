#pragma once
#include "model/layers.h"

namespace diffsal {

// y + out(gelu(in(norm(y)))) of contiguous tokens (..., C), in y.
void lean_mlp(Tensor& y, const LayerNorm& norm, const Linear& in, const Linear& out);

}  // namespace diffsal
