#include "prediction/predict.h"

#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/stack.h>

#include <algorithm>

#include "diffusion/ddim_sampler.h"
#include "runtime/device.h"
#include "runtime/error.h"
#include "runtime/random.h"
#include "runtime/transfer.h"

namespace diffsal {

void check_result(const Tensor& map) {
  if (at::isfinite(map).all().item<bool>()) return;
  throw Error(ErrorCode::checkpoint, "The network's map is not finite: its weights hold NaN, infinity, or values that overflow float32.", "weights");
}

Prediction sample(const Network& network, const Features& given, const PredictOptions& options) {
  auto features = network.current(given);
  bool hears = std::all_of(features.clip.sound.begin(), features.clip.sound.end(), [](const Tensor& sound) { return sound.defined(); });
  if (options.keep_activity && !hears)
    throw invalid_argument("activity", "false for clips without sound: it is where sound and picture agree", "true");
  const auto& config = network.config();
  std::vector<at::Generator> generators;
  for (auto seed : options.seeds) generators.push_back(make_generator(seed));
  // Drawn even where x_T is given, so that with eta the later noise is the same either way.
  auto drawn = standard_normal(generators, config.height, config.width);
  auto x = to_device(options.noise.defined() ? options.noise : drawn, network.device());
  Pace pace(network.device());
  std::vector<Tensor> activity;  // of the last step that was made
  auto denoise = [&](const Tensor& x, int64_t t) {
    auto times = at::full({x.size(0)}, t, at::TensorOptions(at::kLong).device(network.device()));
    auto s0 = network.denoise(x, times, features, {}, options.keep_activity ? &activity : nullptr);
    pace.queued();
    return s0;
  };
  std::vector<Tensor> estimates;
  SamplerOptions sampler{config.timesteps, options.steps, options.eta, config.released(), std::move(generators), {}, {}};
  if (options.on_step) {
    sampler.on_step = [&](int64_t step, int64_t steps) {
      synchronize(network.device());  // told when it is done, not when it is queued
      options.on_step(step, steps);
    };
  }
  if (options.keep_estimates) sampler.on_estimate = [&](const Tensor& s0) { estimates.push_back(to_host(s0)); };
  auto map = to_host(ddim_sample(denoise, x, std::move(sampler)));
  check_result(map);
  for (auto& factor : activity) factor = to_host(factor.permute({0, 3, 1, 2}).contiguous());
  return {map, options.keep_estimates ? at::stack(estimates) : Tensor(), std::move(activity)};
}

}  // namespace diffsal
