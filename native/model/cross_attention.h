#pragma once
#include <optional>

#include "model/layers.h"

namespace diffsal {

// STC, eq. 8: spatio-temporal compression by a depthwise 3-D convolution, then LayerNorm: (B, C, t, h, w) -> (B, n, C).
class Compression {
  friend class LeanBlock;
  friend class PreparedBlock;

 public:
  Compression(const Scope& scope, int64_t channels, Sizes kernel, Sizes stride, Sizes padding);
  Tensor operator()(const Tensor& x) const;

 private:
  Convolution conv_;
  LayerNorm bn_;
};

// Eq. 7. With a kernel, efficient spatio-temporal cross-attention (ECA): the keys and values are compressed kernel x
// kernel patches. Without, standard cross-attention (SCA) over all tokens.
class CrossAttention {
  friend class LeanBlock;
  friend class PreparedBlock;

 public:
  CrossAttention(const Scope& scope, int64_t channels, int64_t heads, std::optional<int64_t> kernel);
  // x gives queries and values, key the keys; both (B, C, t, h, w) -> (B, t h w, C).
  Tensor operator()(const Tensor& x, const Tensor& key) const;

 private:
  std::optional<Compression> conv_proj_q_, conv_proj_k_, conv_proj_v_;
  Linear proj_q_, proj_k_, proj_v_, proj_;
  int64_t heads_;
};

}  // namespace diffsal
