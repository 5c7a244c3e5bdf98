#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

// softmax(scale q k^T) v for each head, of q (B, n, heads, E), k (B, m, heads, E) and v (B, m, heads, D) -> (B, n, heads, D), by libtorch.
// No map of all scores is stored, and none for the gradients.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale);

}  // namespace diffsal
