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
#include <ATen/ops/stack.h>

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

// How many values of each channel there are, their mean and their sum of squares about it, (C,).
struct Moments {
  double count;
  Tensor mean, squares;
};

// Of parts with n_r values each, whose rows these are: (parts, 1) and twice (parts, C); and n in all,
//   mean = sum(n_r m_r) / n, squares = sum(s_r + n_r (m_r - mean)^2).
Moments together(double count, const Tensor& counts, const Tensor& means, const Tensor& squares) {
  auto mean = (counts * means).sum(0) / count;
  return {count, mean, (squares + counts * (means - mean).square()).sum(0)};
}

// Of maps (N, C, ...), of each pair of which the first counts for `picture_slots` where that is more than one.
Moments moments_of(const Tensor& values, int64_t picture_slots) {
  std::vector<int64_t> over = {0};
  for (int64_t i = 2; i < values.dim(); ++i) over.push_back(i);
  const int64_t count = values.numel() / values.size(1);
  if (picture_slots == 1) {
    auto mean = values.mean(over, true);
    return {static_cast<double>(count), mean.flatten(), (values - mean).square().sum(over)};
  }
  std::vector<Tensor> means, squares;
  for (int64_t slot = 0; slot < 2; ++slot) {
    auto own = moments_of(values.slice(0, slot, values.size(0), 2), 1);
    means.push_back(own.mean);
    squares.push_back(slot == 0 ? own.squares * picture_slots : own.squares);
  }
  const auto of_slot = static_cast<double>(count) / 2, first = of_slot * static_cast<double>(picture_slots);
  auto counts = at::cat({at::full({1, 1}, first, values.options()), at::full({1, 1}, of_slot, values.options())});
  return together(first + of_slot, counts, at::stack(means), at::stack(squares));
}

// The moments of the whole batch, whose parts several processes have. Each sends what it has of them in one message, and the backward pass one more.
Moments shared_moments(const Moments& own, int64_t of_sample, const SharedBatch& shared) {
  auto own_count = at::full({1}, own.count * shared.weight, own.mean.options());
  auto all = shared.gather(at::cat({own_count, own.mean, own.squares * shared.weight})).split_with_sizes({1, own.mean.size(0), own.mean.size(0)}, 1);
  return together(static_cast<double>(of_sample * shared.size), all[0], all[1], all[2]);
}

// Where libtorch's own statistics, of the values as they are, are not the batch's.
Tensor batch_norm_by(const Tensor& x, const BatchNorm& norm, int64_t picture_slots, const SharedBatch* shared) {
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[1] = x.size(1);
  auto values = x.to(at::kFloat);
  auto moments = moments_of(values, picture_slots);
  if (shared != nullptr) moments = shared_moments(moments, static_cast<int64_t>(moments.count) / shared->samples.numel(), *shared);
  const auto& [count, mean, squares] = moments;
  auto variance = squares / count;
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
  if (shared != nullptr && !shared->gather) shared = nullptr;
  if (pass.training && (shared != nullptr || pass.still())) return batch_norm_by(x, *this, pass.picture_slots, shared);
  return at::batch_norm(x, weight, bias, running_mean, running_var, pass.training, options.momentum, options.epsilon, false);
}

}  // namespace diffsal
