#pragma once
#include <ATen/core/Tensor.h>

#include "network/config.h"

namespace diffsal {

// Pictures as a network was trained to see them: uint8 (B, T, h, w, 3) RGB of any size -> float32 (B, 3, T, H, W), resized
// (bilinear, antialiased) and normalised per channel: (pixel / 255 * scale - mean) / std, on the device where they are.
at::Tensor normalise_frames(const at::Tensor& frames, const Config& config);

}  // namespace diffsal
