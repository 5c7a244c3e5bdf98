#pragma once
#include <functional>
#include <vector>

#include "network/network.h"

namespace diffsal {

struct PredictOptions {
  int64_t steps;
  double eta;
  std::vector<uint64_t> seeds;  // one a sample
  Tensor noise;                 // x_T (B, 1, H, W) on the CPU, or undefined to draw it from the seeds
  std::function<void(int64_t, int64_t)> on_step;
  bool keep_estimates = false;
  bool keep_activity = false;  // of a clip with sound and a network whose interaction is mim
};

// On the CPU.
struct Prediction {
  Tensor map;        // (B, 1, H, W) in [0, 1]
  Tensor estimates;  // (steps, B, 1, H, W), every step's estimate of S0, or undefined
  // Each MAM stage's activity at the last step, coarse to fine: (B, C_i, h_i, w_i), or none.
  std::vector<Tensor> activity;
};

// Refuses a map that is not finite, which is the weights' fault: inputs were checked.
void check_result(const Tensor& map);

// Algorithm 2 on conditions that are already encoded.
Prediction sample(const Network& network, const Features& features, const PredictOptions& options);

}  // namespace diffsal
