#include <ATen/ops/cat.h>

#include "ops/attention.h"
#include "ops/cross_attention.h"

namespace diffsal {

namespace {

// Before and after a still's picture is the picture; the noise comes after it.
Tensor around_still(const Tensor& x, const Compression& compression) {
  auto picture = x.narrow(1, 0, 1);
  auto y = compression.around_places(at::cat({picture, picture, picture, x.narrow(1, 1, 1)}, 1));
  return at::cat({y.narrow(1, 1, 1), y.narrow(1, 3, 1)}, 1);
}

}  // namespace

Tensor read_slots(const Tensor& x, const LayerNorm& norm, int64_t read) { return norm(x.narrow(1, 0, read)).permute({0, 2, 3, 1, 4}); }

Attended attend_torch(const Tensor& x, const Tensor& n, const Tensor& keys, const Tensor& values, const CrossAttention& attention, const MLP& mlp,
                      const LayerNorm& next, const Attending& attending) {
  const auto& a = attention;
  int64_t groups = keys.size(0), channels = x.size(4);
  auto map = n.reshape({groups, -1, x.size(2), x.size(3), channels});
  auto queries = !a.conv_proj_q ? map : attending.still ? around_still(map, *a.conv_proj_q) : a.conv_proj_q->around_places(map);
  auto split = [&](const Tensor& y) { return y.reshape({groups, -1, a.heads, channels / a.heads}); };
  auto y = diffsal::attention(split(a.proj_q(queries)), split(a.proj_k(keys)), split(a.proj_v(values)), a.scale());
  y = mlp(a.proj.onto(x, y.reshape(x.sizes())).contiguous());
  return {y, read_slots(y, next, attending.read)};
}

}  // namespace diffsal
