#include "ops/attention.h"

#include <ATen/Parallel.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "ops/side.h"

namespace diffsal {
namespace {

// Queries whose scores are made, normalised and used while they are in a core's cache.
constexpr int64_t block = 1024;

// The CPU's fused attention gains nothing by bfloat16, and its matrix products two to four times.
at::Tensor by_blocks(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale) {
  int64_t samples = q.size(0), queries = q.size(1), heads = q.size(2), blocks = (queries + block - 1) / block;
  auto y = at::empty({samples, queries, heads, v.size(3)}, q.options());
  at::parallel_for(0, samples * heads * blocks, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;
    for (int64_t i = begin; i < end; ++i) {
      int64_t sample = i / (heads * blocks), head = i / blocks % heads, first = i % blocks * block, count = std::min(block, queries - first);
      auto part = [&](const at::Tensor& x) { return x.select(0, sample).select(1, head); };
      auto scores = at::mm(part(q).narrow(0, first, count), part(k).t()).mul_(scale);
      part(y).narrow(0, first, count).copy_(at::mm(at::softmax(scores, -1), part(v)));
    }
  });
  return y;
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale) {
  if (q.is_cpu() && q.scalar_type() == at::kBFloat16 && !wants_gradients(q, k, v)) return by_blocks(q, k, v, scale);
  // Fused kernels want heads of one size on all sides.
  int64_t channels = v.size(3), missing = q.size(3) - channels;
  auto values = missing > 0 ? at::constant_pad_nd(v, {0, missing}) : v;
  auto y = at::scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), values.transpose(1, 2), {}, 0.0, false, scale);
  return y.transpose(1, 2).narrow(3, 0, channels);
}

}  // namespace diffsal
