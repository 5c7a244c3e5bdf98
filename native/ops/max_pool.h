#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

// The greatest of each 2x2 places, (N, h, w, C) -> (N, h / 2, w / 2, C); a NaN stays.
at::Tensor max_pool(const at::Tensor& x);

at::Tensor max_pool_torch(const at::Tensor& x);
at::Tensor max_pool_cpu(const at::Tensor& x);

}  // namespace diffsal
