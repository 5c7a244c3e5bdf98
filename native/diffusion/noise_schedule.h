#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace diffsal {

// The cosine schedule of Nichol and Dhariwal (2021), s = 0.008: betas (T,) in float64, at most 0.999.
at::Tensor cosine_betas(int64_t timesteps);

// The running products of 1 - beta, (T,) in float32. The betas are rounded to float32 first, as published weights expect.
at::Tensor alpha_bars(int64_t timesteps);

// The descending (now, next) times of a DDIM run; next = -1 ends it with the prediction itself.
// Algorithm 2: linspace(-1, T - 1, steps + 1); released: range(0, T, T / steps), which may be a step longer.
std::vector<std::pair<int64_t, int64_t>> ddim_times(int64_t timesteps, int64_t steps, bool released);

}  // namespace diffsal
