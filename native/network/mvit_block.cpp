#include "network/mvit_block.h"

namespace diffsal {

MViTBlock::MViTBlock(const Scope& scope, const PooledAttention::Options& o, double mlp_ratio)
    : norm1_(scope / "norm1", o.in),
      attn_(scope / "attn", o),
      mlp_{LayerNorm(scope / "norm2", o.out), Linear(scope / "mlp" / "fc1", o.out, static_cast<int64_t>(o.out * mlp_ratio)),
           Linear(scope / "mlp" / "fc2", static_cast<int64_t>(o.out * mlp_ratio), o.out)},
      stride_q_(o.stride_q) {
  if (o.in != o.out) proj_.emplace(scope / "proj", o.in, o.out);
}

Tensor MViTBlock::operator()(const Tensor& x, Grid& grid) const {
  auto before = grid;
  auto attended = attn_(x, norm1_, grid);
  auto skip = proj_ ? linear_of_norm(x, norm1_, *proj_) : x;
  if (stride_q_ != Grid{1, 1, 1}) skip = max_pool_tokens(skip, before, stride_q_);
  return mlp_(attn_.projection().onto(skip, attended));
}

}  // namespace diffsal
