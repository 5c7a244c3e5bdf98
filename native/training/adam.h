#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace diffsal {

struct AdamOptions {
  // AdamW: the weights decay by themselves, not through the gradient.
  bool decoupled = false;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

// Parameters, by their place in the list of all, that are updated alike.
struct AdamGroup {
  std::vector<size_t> members;
  double rate = 1;  // what the learning rate is multiplied by
  double weight_decay = 0;
};

// Adam and AdamW as torch.optim computes them, in libtorch's fused kernels.
class Adam {
 public:
  // Each parameter is a member of one group.
  Adam(const std::vector<at::Tensor>& parameters, const AdamOptions& options, std::vector<AdamGroup> groups);

  // One update in place. An undefined gradient leaves its parameter and state alone.
  void step(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients, double learning_rate);

  // A parameter's running means of gradient and squared gradient, and how often it was updated (a float32 scalar).
  struct State {
    std::vector<at::Tensor> means, squares, steps;
  };
  State& state() { return state_; }
  const State& state() const { return state_; }

 private:
  void step(const AdamGroup& group, const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients, double learning_rate);

  AdamOptions options_;
  std::vector<AdamGroup> groups_;
  State state_;
};

}  // namespace diffsal
