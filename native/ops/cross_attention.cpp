#include "ops/cross_attention.h"

#include <cmath>

#include "ops/side.h"

namespace diffsal {

CrossAttention::CrossAttention(const Scope& scope, int64_t channels, int64_t heads, std::optional<int64_t> kernel)
    : proj_q(scope / "proj_q", channels, channels),
      proj_k(scope / "proj_k", channels, channels),
      proj_v(scope / "proj_v", channels, channels),
      proj(scope / "proj", channels, channels),
      heads(heads) {
  if (!kernel) return;
  conv_proj_q.emplace(Compression::around(scope / "conv_proj_q", channels));
  conv_proj_k.emplace(Compression::patches(scope / "conv_proj_k", channels, *kernel));
  conv_proj_v.emplace(Compression::patches(scope / "conv_proj_v", channels, *kernel));
}

double CrossAttention::scale() const { return 1 / std::sqrt(static_cast<double>(proj_k.weight.size(0))); }

const CrossAttention::Packing& CrossAttention::packing() const {
  return packing_.of({proj_q.weight, proj_q.bias, proj_k.weight, proj_k.bias, proj_v.weight, proj_v.bias, proj.weight, proj.bias}, [&] {
    Packing packing{proj_q.packed(), PackedLinear(proj_k.weight * scale(), proj_k.bias * scale()), proj_v.packed(), proj.packed(), {}, {}};
    for (const auto& part : proj_q.weight.chunk(heads, 0)) packing.head_queries.emplace_back(part);
    for (const auto& part : proj.weight.chunk(heads, 1)) packing.head_outputs.emplace_back(part.t());
    return packing;
  });
}

Attended attend(const Tensor& x, const Tensor& n, const Tensor& keys, const Tensor& values, const CrossAttention& attention, const MLP& mlp,
                const LayerNorm& next, const Attending& attending) {
  const auto& a = attention;
  bool packed = on_packed_side(x, n, keys, values, a.proj_q.weight, a.proj_q.bias, a.proj_k.weight, a.proj_k.bias, a.proj_v.weight, a.proj_v.bias,
                               a.proj.weight, a.proj.bias, next.weight, next.bias) &&
                mlp.packed_for(x);
  if (packed && a.conv_proj_q) packed = on_packed_side(x, a.conv_proj_q->conv.weight, a.conv_proj_q->norm.weight, a.conv_proj_q->norm.bias);
  return (packed && !attending.still ? attend_cpu : attend_torch)(x, n, keys, values, attention, mlp, next, attending);
}

}  // namespace diffsal
