#pragma once
#include "ops/convolution.h"
#include "ops/linear.h"
#include "ops/norms.h"
#include "ops/pass.h"

namespace diffsal {

// A place where a cancelled job stops: here, and in the backward pass when the gradient comes to `x`, which may be undefined. (Of CUDA's
// backward, which is another thread's and short, it does not know.)
void stop_point(const Tensor& x);

// Bilinear, pixel centres at half-integers, of (B, C, h, w).
Tensor resize_bilinear(const Tensor& x, int64_t height, int64_t width);

}  // namespace diffsal
