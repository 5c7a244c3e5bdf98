#include "training/gradients.h"

#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
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

at::Tensor gradient_norms(const std::vector<at::Tensor>& gradients, at::Device device) {
  auto list = defined(gradients);
  return list.empty() ? at::zeros({0}, at::TensorOptions(at::kFloat).device(device)) : at::stack(at::_foreach_norm(list));
}

void clip_gradients(std::vector<at::Tensor>& gradients, double norm, double limit, bool keep) {
  auto list = defined(gradients);
  double factor = limit / (norm + 1e-6);
  if (!(factor < 1) || list.empty()) return;
  if (!keep) return at::_foreach_mul_(list, factor);
  auto scaled = at::_foreach_mul(list, factor);
  auto next = scaled.begin();
  for (auto& gradient : gradients) {
    if (gradient.defined()) gradient = *next++;
  }
}

}  // namespace diffsal
