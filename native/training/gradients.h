#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace diffsal {

// The Euclidean norm of all gradients together, a number on `device`, where they are; an undefined one is zero.
at::Tensor gradient_norm(const std::vector<at::Tensor>& gradients, at::Device device);

// Scales gradients of that norm so that it is at most `limit`, as torch.nn.utils.clip_grad_norm_ does.
void clip_gradients(std::vector<at::Tensor>& gradients, double norm, double limit);

}  // namespace diffsal
