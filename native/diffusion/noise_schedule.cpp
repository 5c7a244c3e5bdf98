#include "diffusion/noise_schedule.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cumprod.h>
#include <ATen/ops/linspace.h>

#include <algorithm>
#include <cmath>

namespace diffsal {

at::Tensor cosine_betas(int64_t timesteps) {
  const double s = 0.008, pi = 3.14159265358979323846;
  // T + 1 points on [0, T + 1], divided by T + 1: the grid of the released program.
  auto x = at::linspace(0, timesteps + 1, timesteps + 1, at::kDouble) / static_cast<double>(timesteps + 1);
  auto a = ((x + s) / (1 + s) * pi * 0.5).cos().pow(2);
  return (1 - a.slice(0, 1) / a.slice(0, 0, -1)).clamp(0, 0.999);
}

at::Tensor alpha_bars(int64_t timesteps) { return at::cumprod(1 - cosine_betas(timesteps).to(at::kFloat), 0); }

std::vector<std::pair<int64_t, int64_t>> ddim_times(int64_t timesteps, int64_t steps, bool released) {
  std::vector<int64_t> times;
  if (released) {
    for (int64_t t = 0; t < timesteps; t += timesteps / steps) times.push_back(t);
  } else {
    auto grid = at::linspace(-1, timesteps - 1, steps + 1, at::kDouble);
    for (int64_t i = 1; i <= steps; ++i) times.push_back(static_cast<int64_t>(grid.data_ptr<double>()[i]));
  }
  std::reverse(times.begin(), times.end());
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (size_t i = 0; i < times.size(); ++i) pairs.emplace_back(times[i], i + 1 < times.size() ? times[i + 1] : -1);
  return pairs;
}

}  // namespace diffsal
