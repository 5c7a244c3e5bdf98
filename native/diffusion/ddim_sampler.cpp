#include "diffusion/ddim_sampler.h"

#include <ATen/TensorOperators.h>
#include <algorithm>
#include <cmath>

#include "diffusion/noise_schedule.h"
#include "runtime/cancellation.h"
#include "runtime/random.h"
#include "runtime/transfer.h"

namespace diffsal {

at::Tensor ddim_step(const at::Tensor& x, const at::Tensor& s0, float a, float b, double eta, const std::function<at::Tensor()>& noise) {
  // The coefficients are float32, as the table they come from.
  auto eps = (x * std::sqrt(1 / a) - s0) / std::sqrt(1 / a - 1);
  float sigma = static_cast<float>(eta) * std::sqrt((1 - a / b) * (1 - b) / (1 - a));
  // At eta 1 the square root's argument is 0 but for rounding.
  auto next = s0 * std::sqrt(b) + eps * std::sqrt(std::max(1 - b - sigma * sigma, 0.0f));
  return eta > 0 ? next + to_device(noise(), x.device()) * sigma : next;
}

at::Tensor ddim_sample(const std::function<at::Tensor(const at::Tensor&, int64_t)>& denoise, at::Tensor x, SamplerOptions options) {
  auto bars = alpha_bars(options.timesteps);
  auto bar = [&](int64_t t) { return bars.data_ptr<float>()[t]; };
  auto noise = [&] { return standard_normal(options.generators, x.size(2), x.size(3)); };
  auto times = ddim_times(options.timesteps, options.steps, options.released);
  auto count = static_cast<int64_t>(times.size());
  for (int64_t i = 0; i < count; ++i) {
    throw_if_cancelled();
    auto [now, next] = times[i];
    auto s0 = denoise(x, now);
    if (options.on_estimate) options.on_estimate(s0);
    x = next < 0 ? s0.clamp(0, 1) : ddim_step(x, s0, bar(now), bar(next), options.eta, noise);
    if (options.on_step) options.on_step(i + 1, count);
  }
  return x;
}

}  // namespace diffsal
