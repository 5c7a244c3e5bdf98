#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "ops/mlp.h"
#include "ops/side.h"

namespace diffsal {
namespace {

// Tokens whose hidden channels are made and used while they are in a core's cache: a map of them all would be memory that the system has to
// give anew each time, which costs more than the product.
constexpr int64_t block = 1024;

}  // namespace

bool MLP::packed_for(const Tensor& x) const { return on_packed_side(x, norm.weight, norm.bias, fc1.weight, fc1.bias, fc2.weight, fc2.bias); }

Tensor MLP::operator()(const Tensor& x) const {
  if (!packed_for(x)) return mlp_torch(x, *this);
  auto y = x;
  mlp_cpu(y, *this);
  return y;
}

Tensor mlp_torch(Tensor x, const MLP& mlp) {
  const auto& [norm, fc1, fc2] = mlp;
  if (at::GradMode::is_enabled()) return x + fc2(at::gelu(fc1(norm(x))));
  // Asked for here, because what is kept belongs to this thread.
  auto type = x.scalar_type();
  auto scale = norm.in(type), first = fc1.in(type), second = fc2.in(type);
  auto tokens = x.view({-1, x.size(-1)});
  auto add = [&](const Tensor& part) {
    auto normed = at::layer_norm(part, scale.weight.sizes(), scale.weight, scale.bias, 1e-5);
    auto hidden = at::linear(normed, first.weight, first.bias);
    part.add_(at::linear(at::gelu_(hidden), second.weight, second.bias));
  };
  if (!x.is_cpu()) {
    add(tokens);
    return x;
  }
  at::parallel_for(0, (tokens.size(0) + block - 1) / block, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;
    for (int64_t i = begin; i < end; ++i) add(tokens.narrow(0, i * block, std::min(block, tokens.size(0) - i * block)));
  });
  return x;
}

}  // namespace diffsal
