#include "prediction/predict.h"

#include <ATen/ops/flip.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

#include "diffusion/ddim_sampler.h"
#include "runtime/device.h"
#include "runtime/error.h"
#include "runtime/random.h"
#include "runtime/transfer.h"

namespace diffsal {
namespace {

// The options of part `nth` of `parts` that a caller's progress counts as one.
PredictOptions part_of(const PredictOptions& options, int64_t nth, int64_t parts) {
  auto part = options;
  if (options.on_step) {
    part.on_step = [&options, nth, parts](int64_t step, int64_t steps) { options.on_step(nth * steps + step, parts * steps); };
  }
  return part;
}

Prediction sample_once(const Network& network, const Features& given, const PredictOptions& options) {
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
  return {map, options.keep_estimates ? at::stack(estimates) : Tensor(), std::move(activity), {}};
}

// Mean and deviation by Welford's recurrence: one map is held, not all.
Prediction sample_often(const Network& network, const Features& features, const PredictOptions& options) {
  Tensor mean, squares;
  for (int64_t k = 0; k < options.samples; ++k) {
    auto part = part_of(options, k, options.samples);
    for (auto& seed : part.seeds) seed = (seed + static_cast<uint64_t>(k)) & std::numeric_limits<uint32_t>::max();
    auto map = sample_once(network, features, part).map.to(at::kDouble);
    if (k == 0) {
      mean = at::zeros(map.sizes(), map.options());
      squares = at::zeros(map.sizes(), map.options());
    }
    auto before = map - mean;
    mean += before / static_cast<double>(k + 1);
    squares += before * (map - mean);
  }
  Prediction prediction;
  prediction.map = mean.to(at::kFloat);
  prediction.deviation = at::sqrt(squares / static_cast<double>(options.samples)).to(at::kFloat);
  return prediction;
}

}  // namespace

void check_result(const Tensor& map) {
  if (at::isfinite(map).all().item<bool>()) return;
  throw Error(ErrorCode::checkpoint, "The network's map is not finite: its weights hold NaN, infinity, or values that overflow float32.", "weights");
}

Features encode(const Network& network, const EncoderInputs& clips, const std::vector<uint64_t>& seeds, bool keep) {
  std::vector<at::Generator> generators;
  for (auto seed : seeds) generators.push_back(make_generator(derive_seed(seed, "video maps")));
  return network.encode(clips.frames, clips.mel, generators, {}, keep);
}

Prediction predict(const Network& network, EncoderInputs clips, const PredictOptions& options) {
  if (!options.mirror) {
    auto features = encode(network, clips, options.seeds, /*keep=*/false);
    clips = {};  // sampling needs their memory
    return sample(network, features, options);
  }
  auto map_of = [&](int64_t nth) { return sample(network, encode(network, clips, options.seeds, /*keep=*/false), part_of(options, nth, 2)).map; };
  Prediction prediction;
  prediction.map = map_of(0);
  clips.frames = at::flip(clips.frames, {-1});
  prediction.map = (prediction.map + at::flip(map_of(1), {-1})) / 2;
  return prediction;
}

Prediction sample(const Network& network, const Features& features, const PredictOptions& options) {
  return options.samples == 1 ? sample_once(network, features, options) : sample_often(network, features, options);
}

}  // namespace diffsal
