#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

// Bilinear upsampling along one axis and what goes with it as small constant matrices on the CPU, float32. Their values have few binary digits,
// so that bfloat16 holds them exactly.

// For a convolution of kernel 3 with zero padding 1 on what upsampling made `factor` times as long: from each place's products with the three
// taps, (size, 3), to the result, (factor size, 3 size).
at::Tensor tap_interpolation(int64_t size, int64_t factor);

// For a convolution of kernel 3, dilation 2 and zero padding 2 on what upsampling made twice as long. Within, that is the upsampling of a plain
// convolution of the short axis; for the ends more places are convolved, doubling_places(size), (size + 6): each number is the place that is
// read, -1 for zero. From their plain convolution, with zero padding 1, to the result: (2 size, size + 6).
at::Tensor doubling_places(int64_t size);
at::Tensor doubling_interpolation(int64_t size);

}  // namespace diffsal
