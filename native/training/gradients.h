#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace diffsal {

// The Euclidean norm of each gradient that is defined, in their order, on `device`, where they are.
at::Tensor gradient_norms(const std::vector<at::Tensor>& gradients, at::Device device);

// Gradients of that norm together, scaled so that it is at most `limit`, as torch.nn.utils.clip_grad_norm_ does: in place, or, where they are to be
// kept, as copies.
void clip_gradients(std::vector<at::Tensor>& gradients, double norm, double limit, bool keep);

}  // namespace diffsal
