#include "metrics/scoring_chain.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/upsample_bicubic2d.h>

namespace diffsal {
namespace {

// Smooths dimension 0 of (n, m). Edges are mirrored with the edge itself: d c b a | a b c d.
at::Tensor smooth(const at::Tensor& x) {
  const int64_t reach = 6;
  const double sigma = 2;
  int64_t n = x.size(0);
  auto weights = (at::arange(-reach, reach + 1, at::kDouble) / sigma).pow(2).mul(-0.5).exp();
  weights = weights / weights.sum();
  at::Tensor total;
  auto index = at::arange(n, at::kLong);
  for (int64_t offset = -reach; offset <= reach; ++offset) {
    // Mirroring with period 2 n, for maps that are smaller than the kernel too.
    auto mirrored = (index + offset).remainder(2 * n);
    auto row = x.index_select(0, at::minimum(mirrored, 2 * n - 1 - mirrored)) * weights[offset + reach];
    total = total.defined() ? total + row : row;
  }
  return total;
}

}  // namespace

at::Tensor scoring_chain(const at::Tensor& map, int64_t height, int64_t width, bool blur) {
  auto x = map.to(at::kDouble);
  x = x / x.max();
  x = (x - x.min()) / (x.max() - x.min());
  if (blur) x = smooth(smooth(x).t().contiguous()).t().contiguous();
  if (x.size(0) != height || x.size(1) != width) x = at::upsample_bicubic2d(x.view({1, 1, x.size(0), x.size(1)}), {height, width}, false)[0][0];
  return x.clamp_min(0);  // the bicubic kernel undershoots, and a map has no negative saliency
}

}  // namespace diffsal
