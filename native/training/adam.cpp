#include "training/adam.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <utility>

namespace diffsal {

Adam::Adam(const std::vector<at::Tensor>& parameters, const AdamOptions& options, std::vector<AdamGroup> groups)
    : options_(options), groups_(std::move(groups)) {
  for (const auto& parameter : parameters) {
    state_.means.push_back(at::zeros_like(parameter));
    state_.squares.push_back(at::zeros_like(parameter));
    state_.steps.push_back(at::zeros({}, parameter.options()));
  }
}

void Adam::step(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients, double learning_rate) {
  for (const auto& group : groups_) step(group, parameters, gradients, learning_rate * group.rate);
}

void Adam::step(const AdamGroup& group, const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients, double learning_rate) {
  std::vector<at::Tensor> updated, slopes, means, squares, steps;
  for (auto i : group.members) {
    if (!gradients[i].defined()) continue;
    updated.push_back(parameters[i]);
    slopes.push_back(gradients[i]);
    means.push_back(state_.means[i]);
    squares.push_back(state_.squares[i]);
    steps.push_back(state_.steps[i]);
  }
  if (updated.empty()) return;
  const auto& o = options_;
  at::_foreach_add_(steps, 1);
  auto* update = o.decoupled ? &at::_ops::_fused_adamw_::call : &at::_ops::_fused_adam_::call;
  update(updated, slopes, means, squares, {}, steps, learning_rate, o.beta1, o.beta2, group.weight_decay, o.epsilon, false, false, {}, {});
  // The fused update leaves the versions as they were, by which what is made of a parameter is known to be of it still.
  for (const auto& parameter : updated) parameter.unsafeGetTensorImpl()->bump_version();
}

}  // namespace diffsal
