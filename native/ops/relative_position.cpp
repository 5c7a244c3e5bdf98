#include "ops/relative_position.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/upsample_linear1d.h>

#include <algorithm>

namespace diffsal {

Tensor relative_position_rows(const Tensor& given, int64_t queries, int64_t keys) {
  int64_t length = 2 * std::max(queries, keys) - 1;
  Tensor table = given;
  if (table.size(0) != length) table = at::upsample_linear1d(table.t().unsqueeze(0), {length}, false)[0].t();
  // One coordinate of the coarser axis spans several of the finer one.
  double per_query = std::max(static_cast<double>(keys) / queries, 1.0), per_key = std::max(static_cast<double>(queries) / keys, 1.0);
  auto i = at::arange(queries, table.options().dtype(at::kFloat)).unsqueeze(1);
  auto j = at::arange(keys, table.options().dtype(at::kFloat)).unsqueeze(0);
  auto row = (i * per_query - j * per_key + (keys - 1) * per_key).to(at::kLong);
  return table.index_select(0, row.flatten()).view({queries, keys, table.size(1)});
}

PositionRows::PositionRows(const Grid& queries, const Grid& keys, const Tensor& table_t, const Tensor& table_h, const Tensor& table_w,
                           at::ScalarType type) {
  auto of = [&](const Tensor& table, size_t axis) { return relative_position_rows(table, queries[axis], keys[axis]).transpose(1, 2).to(type); };
  slots = of(table_t, 0);
  rows = of(table_h, 1);
  columns = of(table_w, 2);
}

Tensor relative_position_channels(const Tensor& query, const Grid& queries, const PositionRows& tables) {
  auto grid = query.unflatten(2, {queries[0], queries[1], queries[2]});                          // B n t h w C
  auto t = at::matmul(grid.flatten(3, 4), tables.slots).unflatten(3, {queries[1], queries[2]});  // (t, C, kt)
  auto h = at::matmul(grid, tables.rows);                                                        // (h, C, kh)
  auto w = at::matmul(grid.transpose(3, 4), tables.columns).transpose(3, 4);                     // (w, C, kw)
  return at::cat({t, h, w}, -1).flatten(2, 4);
}

Tensor one_hot_positions(const Grid& keys, const at::TensorOptions& options) {
  auto axis = [&](int64_t size, int position) {
    Sizes view = {1, 1, 1, size};
    view[position] = size;
    return at::eye(size, options).view(view).expand({keys[0], keys[1], keys[2], size});
  };
  return at::cat({axis(keys[0], 0), axis(keys[1], 1), axis(keys[2], 2)}, -1).flatten(0, 2);
}

}  // namespace diffsal
