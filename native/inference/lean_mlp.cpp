#include "inference/lean_mlp.h"

#include <ATen/Parallel.h>
#include <ATen/ops/gelu.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

namespace diffsal {
namespace {

// Tokens whose hidden channels are made and used while they are in a core's cache: a map of them all would be memory that the system has to
// give anew each time, which costs more than the product.
constexpr int64_t block = 1024;

}  // namespace

void lean_mlp(Tensor& y, const LayerNorm& norm, const Linear& in, const Linear& out) {
  auto tokens = y.view({-1, y.size(-1)});
  auto add = [&](const Tensor& part) {
    auto hidden = in(norm(part));
    part.add_(out(at::gelu_(hidden)));
  };
  if (!y.is_cpu()) return add(tokens);
  at::parallel_for(0, (tokens.size(0) + block - 1) / block, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;
    for (int64_t i = begin; i < end; ++i) add(tokens.narrow(0, i * block, std::min(block, tokens.size(0) - i * block)));
  });
}

}  // namespace diffsal
