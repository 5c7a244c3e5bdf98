#include "model/cross_attention.h"

#include <ATen/ops/scaled_dot_product_attention.h>

#include <cmath>

namespace diffsal {

Compression::Compression(const Scope& scope, int64_t channels, Sizes kernel, Sizes stride, Sizes padding)
    : conv_(scope / "conv", channels, channels, std::move(kernel),
            {.stride = std::move(stride), .padding = std::move(padding), .groups = channels, .bias = false}),
      bn_(scope / "bn", channels) {}

Tensor Compression::operator()(const Tensor& x) const { return bn_(conv_(x).flatten(2).transpose(1, 2)); }

CrossAttention::CrossAttention(const Scope& scope, int64_t channels, int64_t heads, std::optional<int64_t> kernel)
    : proj_q_(scope / "proj_q", channels, channels),
      proj_k_(scope / "proj_k", channels, channels),
      proj_v_(scope / "proj_v", channels, channels),
      proj_(scope / "proj", channels, channels),
      heads_(heads) {
  if (!kernel) return;
  Sizes patch = {1, *kernel, *kernel}, none = {0, 0, 0};
  conv_proj_q_.emplace(scope / "conv_proj_q", channels, Sizes{3, 3, 3}, Sizes{1, 1, 1}, Sizes{1, 1, 1});
  conv_proj_k_.emplace(scope / "conv_proj_k", channels, patch, patch, none);
  conv_proj_v_.emplace(scope / "conv_proj_v", channels, patch, patch, none);
}

Tensor CrossAttention::operator()(const Tensor& x, const Tensor& key) const {
  auto tokens = [](const std::optional<Compression>& compress, const Tensor& y) {
    return compress ? (*compress)(y) : y.flatten(2).transpose(1, 2);
  };
  auto split = [&](const Tensor& y) { return y.unflatten(2, {heads_, -1}).transpose(1, 2); };
  auto q = split(proj_q_(tokens(conv_proj_q_, x)));
  auto k = split(proj_k_(tokens(conv_proj_k_, key)));
  auto v = split(proj_v_(tokens(conv_proj_v_, x)));
  // The scale is by all channels, not by a head's.
  double scale = 1 / std::sqrt(static_cast<double>(x.size(1)));
  auto y = at::scaled_dot_product_attention(q, k, v, {}, 0.0, false, scale);
  return proj_(y.transpose(1, 2).flatten(2));
}

}  // namespace diffsal
