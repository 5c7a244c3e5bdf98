#pragma once
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

namespace diffsal {

// Whether the functions of this folder may stand in for the plain layers: they have no gradient, and run on the CPU in float32.
inline bool is_cpu_inference(const at::Tensor& x) { return !at::GradMode::is_enabled() && x.is_cpu() && x.scalar_type() == at::kFloat; }

}  // namespace diffsal
