#include "training/gradients.h"

#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

namespace diffsal {
namespace {

std::vector<at::Tensor> defined(const std::vector<at::Tensor>& gradients) {
  std::vector<at::Tensor> list;
  for (const auto& gradient : gradients) {
    if (gradient.defined()) list.push_back(gradient);
  }
  return list;
}

}  // namespace

at::Tensor gradient_norm(const std::vector<at::Tensor>& gradients, at::Device device) {
  auto list = defined(gradients);
  return list.empty() ? at::zeros({}, at::TensorOptions(at::kFloat).device(device)) : at::stack(at::_foreach_norm(list)).norm();
}

void clip_gradients(std::vector<at::Tensor>& gradients, double norm, double limit) {
  auto list = defined(gradients);
  double factor = limit / (norm + 1e-6);
  if (factor < 1 && !list.empty()) at::_foreach_mul_(list, factor);
}

}  // namespace diffsal
