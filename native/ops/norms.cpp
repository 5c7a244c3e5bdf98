#include "ops/norms.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>

#include <algorithm>

#include "ops/rows.h"
#include "ops/shared_batch.h"
#include "ops/side.h"

namespace diffsal {
namespace {

// Rows whose norms are made together.
constexpr int64_t normed_rows = 96;

Tensor linear_of_norm_cpu(const Tensor& x, const LayerNorm& norm, const PackedLinear& linear) {
  auto shape = x.sizes().vec();
  shape.back() = linear.out();
  auto y = at::empty(shape, x.options());
  int64_t channels = x.size(-1);
  const float *source = x.const_data_ptr<float>(), *scale = norm.weight.const_data_ptr<float>(), *shift = norm.bias.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  at::parallel_for(0, x.numel() / channels, least_rows, [&](int64_t begin, int64_t end) {
    std::vector<float> normed(static_cast<size_t>(normed_rows * channels));
    for (int64_t first = begin; first < end; first += normed_rows) {
      int64_t count = std::min(normed_rows, end - first);
      normalise_rows(source + first * channels, scale, shift, channels, count, normed.data());
      linear.rows(normed.data(), count, target + first * linear.out());
    }
  });
  return y;
}

// With the statistics of the whole batch, whose parts several processes have: of n_r values, with mean m_r and sum of squares s_r about it, in
// process r, and n in all,
//   mean = sum(n_r m_r) / n, variance = sum(s_r + n_r (m_r - mean)^2) / n.
// Each process sends what it has of them in one message, and the backward pass one more.
Tensor shared_batch_norm(const Tensor& x, const BatchNorm& norm, const SharedBatch& shared) {
  std::vector<int64_t> over, shape(static_cast<size_t>(x.dim()), 1);
  shape[1] = x.size(1);
  for (int64_t i = 0; i < x.dim(); ++i) {
    if (i != 1) over.push_back(i);
  }
  auto values = x.to(at::kFloat);
  const int64_t here = x.numel() / x.size(1), of_sample = here / shared.samples.numel();
  const auto count = static_cast<double>(of_sample * shared.size);
  auto own_mean = values.mean(over);
  auto own_squares = (values - own_mean.view(shape)).square().sum(over) * shared.weight;
  auto own_count = at::full({1}, static_cast<double>(here) * shared.weight, values.options());
  auto all = shared.gather(at::cat({own_count, own_mean, own_squares})).split_with_sizes({1, x.size(1), x.size(1)}, 1);
  const auto &counts = all[0], &means = all[1], &squares = all[2];
  auto mean = (counts * means).sum(0) / count;
  auto variance = (squares + counts * (means - mean).square()).sum(0) / count;
  {
    at::NoGradGuard no_grad;
    const double kept = 1 - norm.options.momentum;
    auto running_mean = norm.running_mean, running_var = norm.running_var;
    running_mean.mul_(kept).add_(mean, norm.options.momentum);
    running_var.mul_(kept).add_(variance, norm.options.momentum * count / std::max(count - 1, 1.0));
  }
  auto scale = at::rsqrt(variance + norm.options.epsilon) * norm.weight;
  return ((values - mean.view(shape)) * scale.view(shape) + norm.bias.view(shape)).to(x.scalar_type());
}

}  // namespace

LayerNorm::LayerNorm(const Scope& scope, int64_t channels)
    : weight(scope.parameter("weight", {channels}, Init::ones)), bias(scope.parameter("bias", {channels}, Init::zeros)) {}

Tensor LayerNorm::operator()(const Tensor& x) const {
  auto [scale, shift] = in(x.scalar_type());
  return at::layer_norm(x, weight.sizes(), scale, shift, 1e-5);
}

Tensor linear_of_norm(const Tensor& x, const LayerNorm& norm, const Linear& linear) {
  if (!on_packed_side(x, norm.weight, norm.bias, linear.weight, linear.bias)) return linear(norm(x));
  return linear_of_norm_cpu(x.contiguous(), norm, linear.packed());
}

GroupNorm::GroupNorm(const Scope& scope, int64_t groups, int64_t channels)
    : weight(scope.parameter("weight", {channels}, Init::ones)), bias(scope.parameter("bias", {channels}, Init::zeros)), groups(groups) {}

Tensor GroupNorm::activate(const Tensor& x) const {
  auto [scale, shift] = cast_.of(weight, bias, x.scalar_type());
  auto y = at::group_norm(x.permute({0, 3, 1, 2}), groups, scale, shift, 1e-6);
  return (wants_gradients(y) ? at::silu(y) : at::silu_(y)).permute({0, 2, 3, 1}).contiguous();
}

BatchNorm::BatchNorm(const Scope& scope, int64_t channels, BatchNormOptions options)
    : weight(scope.parameter("weight", {channels}, Init::ones)),
      bias(scope.parameter("bias", {channels}, Init::zeros)),
      running_mean(scope.buffer("running_mean", {channels}, Init::zeros)),
      running_var(scope.buffer("running_var", {channels}, Init::ones)),
      options(options) {}

Tensor BatchNorm::operator()(const Tensor& x, const Pass& pass) const {
  if (pass.training) ++batches;
  const auto* shared = SharedBatchScope::current();
  if (pass.training && shared != nullptr && shared->gather) return shared_batch_norm(x, *this, *shared);
  return at::batch_norm(x, weight, bias, running_mean, running_var, pass.training, options.momentum, options.epsilon, false);
}

}  // namespace diffsal
