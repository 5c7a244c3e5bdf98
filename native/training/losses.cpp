#include "training/losses.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/binary_cross_entropy.h>
#include <ATen/ops/log.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/where.h>

namespace diffsal {
namespace {

// A denominator, or 1 in place of one that a map without contrast (or mass) would make zero.
at::Tensor safe(const at::Tensor& x) { return at::where(x.gt(1e-20), x, 1); }

at::Tensor flat(const at::Tensor& map) { return map.flatten(1); }
at::Tensor centred(const at::Tensor& x) { return x - x.mean({1}, true); }
at::Tensor to_sum_one(const at::Tensor& x) { return x / safe(x.sum({1}, true)); }

at::Tensor to_range(const at::Tensor& x) {
  auto least = at::amin(x, {1}, true);
  return (x - least) / safe(at::amax(x, {1}, true) - least);
}

}  // namespace

at::Tensor squared_error(const at::Tensor& map, const at::Tensor& truth) { return flat(map - truth).square().sum({1}); }

at::Tensor cross_entropy(const at::Tensor& map, const at::Tensor& truth) {
  return flat(at::binary_cross_entropy(map, truth.clamp(0, 1), {}, at::Reduction::None)).sum({1});
}

at::Tensor divergence(const at::Tensor& map, const at::Tensor& truth) {
  const double epsilon = 2.2204e-16;
  auto p = to_sum_one(flat(map)), q = to_sum_one(flat(truth).clamp_min(0));
  return (q * at::log(q / (p + epsilon) + epsilon)).sum({1});
}

at::Tensor correlation(const at::Tensor& map, const at::Tensor& truth) {
  auto a = centred(flat(map)), b = centred(flat(truth));
  return (a * b).sum({1}) / (safe(a.square().sum({1})).sqrt() * safe(b.square().sum({1})).sqrt());
}

at::Tensor similarity(const at::Tensor& map, const at::Tensor& truth) {
  return at::minimum(to_sum_one(to_range(flat(map))), to_sum_one(to_range(flat(truth)))).sum({1});
}

at::Tensor scanpath_saliency(const at::Tensor& map, const at::Tensor& fixations) {
  auto fixated = flat(fixations).gt(0).to(map.scalar_type());
  auto a = centred(flat(map));
  auto z = a / safe(a.square().mean({1}, true)).sqrt();
  return (z * fixated).sum({1}) / fixated.sum({1}).clamp_min(1);
}

at::Tensor training_loss(const at::Tensor& map, const at::Tensor& truth, const at::Tensor& fixations, const LossOptions& options) {
  auto loss = options.kind == LossKind::mse  ? squared_error(map, truth)
              : options.kind == LossKind::ce ? cross_entropy(map, truth)
                                             : divergence(map, truth);
  if (options.cc != 0) loss = loss + options.cc * correlation(map, truth);
  if (options.sim != 0) loss = loss + options.sim * similarity(map, truth);
  if (options.nss != 0) loss = loss + options.nss * scanpath_saliency(map, fixations);
  return loss.mean();
}

}  // namespace diffsal
