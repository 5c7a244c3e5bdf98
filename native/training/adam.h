#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace diffsal {

struct AdamOptions {
  // AdamW: the weights decay by themselves, not through the gradient.
  bool decoupled = false;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
};

// Adam and AdamW as torch.optim computes them, in libtorch's fused kernels.
class Adam {
 public:
  Adam(const std::vector<at::Tensor>& parameters, const AdamOptions& options);

  // One update in place. An undefined gradient leaves its parameter and state alone.
  void step(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients, double learning_rate);

  // A parameter's running means of gradient and squared gradient, and how often it was updated (a float32 scalar).
  struct State {
    std::vector<at::Tensor> means, squares, steps;
  };
  State& state() { return state_; }
  const State& state() const { return state_; }

 private:
  AdamOptions options_;
  State state_;
};

}  // namespace diffsal
