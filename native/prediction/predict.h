#pragma once
#include <functional>
#include <vector>

#include "network/network.h"
#include "prediction/inputs.h"

namespace diffsal {

struct PredictOptions {
  int64_t steps;
  double eta;
  std::vector<uint64_t> seeds;  // one a sample
  Tensor noise;                 // x_T (B, 1, H, W) on the CPU, or undefined to draw it from the seeds
  std::function<void(int64_t, int64_t)> on_step;
  bool keep_estimates = false;
  bool keep_activity = false;  // of a clip with sound and a network whose interaction is mim
  int64_t samples = 1;         // with several: their mean and deviation, of seeds, seeds + 1, …
  bool mirror = false;         // of a clip: the mean with the mirrored one's map
};

// On the CPU.
struct Prediction {
  Tensor map;        // (B, 1, H, W) in [0, 1]
  Tensor estimates;  // (steps, B, 1, H, W), every step's estimate of S0, or undefined
  // Each MAM stage's activity at the last step, coarse to fine: (B, C_i, h_i, w_i), or none.
  std::vector<Tensor> activity;
  Tensor deviation;  // of several samples: (B, 1, H, W), each pixel's population deviation; or undefined
};

// Refuses a map that is not finite, which is the weights' fault: inputs were checked.
void check_result(const Tensor& map);

// What the encoders make of clips. Where these have no frames, the released dialect's video maps are drawn from the seeds.
Features encode(const Network& network, const EncoderInputs& clips, const std::vector<uint64_t>& seeds, bool keep);

// Encodes clips, then samples (Algorithm 2).
Prediction predict(const Network& network, EncoderInputs clips, const PredictOptions& options);

// Algorithm 2 on conditions that are already encoded; nothing is mirrored.
Prediction sample(const Network& network, const Features& features, const PredictOptions& options);

}  // namespace diffsal
