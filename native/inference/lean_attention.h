#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

// softmax(q k^T) v for each head, of q (B, n, heads, E), k (B, m, heads, E) and v (B, m, heads, D), whose scale is in q or k already
// -> (B, n, heads, D). No map of all scores is stored.
at::Tensor lean_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

}  // namespace diffsal
