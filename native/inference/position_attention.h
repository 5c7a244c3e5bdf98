#pragma once
#include "model/relative_position.h"

namespace diffsal {

// MViTv2's attention after its pooling, softmax(q k^T / sqrt(C) + position) v + q, where the class token (the first) has neither position nor
// residual. A block of queries' scores are made, summed with their positions and used while they are in a core's cache, so no map of
// scores is stored.
// q: (B, heads, 1 + n, C), k and v: (B, heads, 1 + m, C), contiguous; tables: relative_position_rows of the slots, rows and columns
// -> (B, 1 + n, heads C).
Tensor position_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Grid& queries, const Grid& keys,
                          const std::array<Tensor, 3>& tables);

}  // namespace diffsal
