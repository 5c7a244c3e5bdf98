#pragma once
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

namespace diffsal {

// Whether autograd is to see what is calculated with these; some may be undefined.
template <typename... Tensors>
bool wants_gradients(const Tensors&... tensors) {
  return at::GradMode::is_enabled() && (... || (tensors.defined() && tensors.requires_grad()));
}

// The rule by which an operation of two sides chooses: the packed float32 side where no gradient is wanted and x is on the CPU in float32,
// else libtorch's. A side that changes a parameter's memory in place does so only without gradients.
template <typename... Tensors>
bool on_packed_side(const at::Tensor& x, const Tensors&... parameters) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && !wants_gradients(x, parameters...);
}

}  // namespace diffsal
