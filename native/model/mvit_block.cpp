#include "model/mvit_block.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/max_pool3d.h>

namespace diffsal {

MViTBlock::MViTBlock(const Scope& scope, const PooledAttention::Options& o, double mlp_ratio)
    : norm1_(scope / "norm1", o.in),
      norm2_(scope / "norm2", o.out),
      attn_(scope / "attn", o),
      fc1_(scope / "mlp" / "fc1", o.out, static_cast<int64_t>(o.out * mlp_ratio)),
      fc2_(scope / "mlp" / "fc2", static_cast<int64_t>(o.out * mlp_ratio), o.out),
      stride_q_(o.stride_q) {
  if (o.in != o.out) proj_.emplace(scope / "proj", o.in, o.out);
}

Tensor MViTBlock::operator()(const Tensor& x, Grid& grid) const {
  auto n = norm1_(x);
  auto skip = proj_ ? (*proj_)(n) : x;
  if (stride_q_ != Grid{1, 1, 1}) {
    Sizes kernel, padding;
    for (auto stride : stride_q_) {
      kernel.push_back(skip_kernel(stride));
      padding.push_back(kernel.back() / 2);
    }
    Grid from = grid;
    skip = pool_tokens(skip.unsqueeze(1), from, [&](const Tensor& y) { return at::max_pool3d(y, kernel, stride_q_, padding); }).squeeze(1);
  }
  auto y = skip + attn_(n, grid);
  return y + fc2_(at::gelu(fc1_(norm2_(y))));
}

}  // namespace diffsal
