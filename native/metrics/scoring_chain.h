#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

// What published scores do to a predicted map (h, w) before the metrics: divided by its greatest value, scaled to 0..1,
// where `blur` says so smoothed (Gaussian, sigma 2, 13 x 13, mirrored edges), and resized (bicubic) to the ground truth's size. float64.
at::Tensor scoring_chain(const at::Tensor& map, int64_t height, int64_t width, bool blur);

}  // namespace diffsal
