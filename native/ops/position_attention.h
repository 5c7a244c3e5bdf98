#pragma once
#include "ops/kept.h"
#include "ops/relative_position.h"

namespace diffsal {

// A relative-position table of one axis for every query's coordinate: (queries, C, keys), the keys filled up to a multiple of eight.
struct AxisTable {
  explicit AxisTable(const Tensor& rows);

  Tensor memory;
  const float* data;
  int64_t size;  // of one coordinate's
  int64_t keys;
};

// The tables of one attention for a grid of queries and one of keys.
struct PositionTables {
  PositionTables(const Grid& queries, const Grid& keys, const Tensor& table_t, const Tensor& table_h, const Tensor& table_w);

  Grid queries, keys;
  AxisTable slots, rows, columns;
};

// Learned tables of relative positions, one an axis, (length, C).
struct RelativePositions {
  Tensor t, h, w;

  // MViTv2's attention after its pooling, softmax(q k^T / sqrt(C) + position) v + q, where the class token (the first) has neither position nor
  // residual, of grids of queries and keys. q: (B, heads, 1 + n, C), k and v: (B, heads, 1 + m, C) -> (B, 1 + n, heads C). No map of scores is
  // stored.
  Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const Grid& queries, const Grid& keys) const;

 private:
  Tensor torch(const Tensor& q, const Tensor& k, const Tensor& v, const Grid& queries, const Grid& keys) const;

  struct Key {
    std::array<Version, 3> tables;
    Grid queries{}, keys{};
    at::ScalarType type = at::kFloat;
    bool operator==(const Key&) const = default;
  };
  Kept<Key, PositionTables> packed_;
  Kept<Key, PositionRows> rows_;
  Kept<Key, Tensor> one_hot_;
};

// The packed side: a block of queries' scores are made, summed with their positions and used while they are in a core's cache. Contiguous tensors.
Tensor position_attention_cpu(const Tensor& q, const Tensor& k, const Tensor& v, const PositionTables& tables);

}  // namespace diffsal
