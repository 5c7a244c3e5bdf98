#include "ops/position_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>

#include <cmath>

#include "ops/attention.h"
#include "ops/side.h"

namespace diffsal {

Tensor RelativePositions::attend(const Tensor& q, const Tensor& k, const Tensor& v, const Grid& queries, const Grid& keys) const {
  if (!on_packed_side(q, k, v, t, h, w)) return torch(q, k, v, queries, keys);
  const auto& tables = packed_.of({{t, h, w}, queries, keys, at::kFloat}, [&] { return PositionTables(queries, keys, t, h, w); });
  return position_attention_cpu(q.contiguous(), k.contiguous(), v.contiguous(), tables);
}

// Positions are further channels of queries and keys, so that libtorch's fused attention takes them.
Tensor RelativePositions::torch(const Tensor& q, const Tensor& k, const Tensor& v, const Grid& queries, const Grid& keys) const {
  auto type = q.scalar_type();
  Key key{{t, h, w}, queries, keys, type};
  auto make = [&] { return PositionRows(queries, keys, t, h, w, type); };
  auto patches = q.slice(2, 1);
  auto position = relative_position_channels(patches, queries, wants_gradients(t, h, w) ? make() : rows_.of(key, make));
  // Fused kernels on CUDA want a multiple of eight channels.
  int64_t channels = q.size(3), further = position.size(3), spare = (8 - (channels + further) % 8) % 8;
  const auto& one_hot =
      one_hot_.of({{}, queries, keys, type}, [&] { return at::constant_pad_nd(one_hot_positions(keys, q.options()), {0, spare, 1, 0}); });
  auto asked = at::cat({q, at::constant_pad_nd(position, {0, spare, 1, 0})}, 3);
  // The relative position takes the query as it is; the scale is the key's.
  auto known = at::cat({k * (1 / std::sqrt(static_cast<double>(channels))), one_hot.expand({k.size(0), k.size(1), -1, -1})}, 3);
  auto y = attention(asked.transpose(1, 2), known.transpose(1, 2), v.transpose(1, 2), 1.0);  // (B, 1 + n, heads, C)
  auto residual = patches.transpose(1, 2);
  if (at::GradMode::is_enabled()) return (y + at::constant_pad_nd(residual, {0, 0, 0, 0, 1, 0})).flatten(2);
  y.slice(1, 1).add_(residual);
  return y.flatten(2);
}

}  // namespace diffsal
