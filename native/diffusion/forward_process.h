#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

// Eq. 1: S_t = sqrt(a_t) S_0 + sqrt(1 - a_t) noise. s0, noise: (B, 1, H, W); t: (B,) int64; bars: alpha_bars().
at::Tensor q_sample(const at::Tensor& s0, const at::Tensor& t, const at::Tensor& noise, const at::Tensor& bars);

}  // namespace diffsal
