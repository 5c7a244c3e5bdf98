#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace diffsal {

struct SamplerOptions {
  int64_t timesteps;
  int64_t steps;
  double eta;  // 0: deterministic; 1: as much noise as DDPM's
  bool released;
  // One a sample; drawn from only where eta > 0.
  std::vector<at::Generator> generators;
  // Called after each step with its number, from 1, and how many there are.
  std::function<void(int64_t, int64_t)> on_step;
  // Given every step's estimate of S0.
  std::function<void(const at::Tensor&)> on_estimate;
};

// One update of eq. 3 from time `now` to `next` >= 0: x and the estimate s0 (B, 1, H, W), a and b their alpha bars.
//   eps = (sqrt(1/a) x - s0) / sqrt(1/a - 1),  sigma = eta sqrt((1 - a/b) (1 - b) / (1 - a))
//   x'  = sqrt(b) s0 + sqrt(1 - b - sigma^2) eps + sigma noise
at::Tensor ddim_step(const at::Tensor& x, const at::Tensor& s0, float a, float b, double eta, const std::function<at::Tensor()>& noise);

// Algorithm 2: from standard normal noise x (B, 1, H, W) to the saliency map in [0, 1].
at::Tensor ddim_sample(const std::function<at::Tensor(const at::Tensor&, int64_t)>& denoise, at::Tensor x, SamplerOptions options);

}  // namespace diffsal
