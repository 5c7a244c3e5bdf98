#pragma once
#include <array>

#include "ops/linear.h"

namespace diffsal {

using Grid = std::array<int64_t, 3>;  // slots, rows, columns

// Rows of a relative-position table (length, C) for every pair of `queries` and `keys` coordinates on one axis:
// (queries, keys, C). A table of another length is linearly resized to 2 max(queries, keys) - 1.
Tensor relative_position_rows(const Tensor& table, int64_t queries, int64_t keys);

// The tables' rows for a grid of queries and one of keys, in `type`: (queries, C, keys) of each axis.
struct PositionRows {
  PositionRows(const Grid& queries, const Grid& keys, const Tensor& table_t, const Tensor& table_h, const Tensor& table_w, at::ScalarType type);
  Tensor slots, rows, columns;
};

// The decomposed relative position of one attention as extra channels. With e the one-hot code of a key's row on each
// axis, q.k + r_t(q)[t] + r_h(q)[h] + r_w(q)[w] is one product of [q, r_t, r_h, r_w] with [k, e_t, e_h, e_w]: no score
// map is read and written again to add a bias.
//
// query: (B, heads, n, C) without class token -> (B, heads, n, keys_t + keys_h + keys_w).
Tensor relative_position_channels(const Tensor& query, const Grid& queries, const PositionRows& rows);

// The keys' side of it: (n, keys_t + keys_h + keys_w), n = t h w.
Tensor one_hot_positions(const Grid& keys, const at::TensorOptions& options);

}  // namespace diffsal
