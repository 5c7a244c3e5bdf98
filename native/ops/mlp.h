#pragma once
#include "ops/norms.h"

namespace diffsal {

// A transformer's second half: x + fc2(gelu(fc1(norm(x)))).
struct MLP {
  LayerNorm norm;
  Linear fc1, fc2;

  // x: (..., C) contiguous. Where no gradient is wanted the result is in x's memory.
  Tensor operator()(const Tensor& x) const;
  bool packed_for(const Tensor& x) const;
};

// Its sides. mlp_torch() is in x's memory where no gradient is wanted.
Tensor mlp_torch(Tensor x, const MLP& mlp);
void mlp_cpu(Tensor& x, const MLP& mlp);
// The same of `count` rows of x, one after the other in memory, on the calling thread. normed: memory for as many rows of C; hidden: of fc1's.
void mlp_rows(float* x, int64_t count, const LayerNorm& norm, const PackedLinear& fc1, const PackedLinear& fc2, float* normed, float* hidden);

}  // namespace diffsal
