#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

// Channels-last maps: x is (B, t, h, w, C), sound (B, t, h / r, w / r, C), each place of which stands for r x r of the map's.

// Eq. 9's factor: softmax along the width of the mean over the slots of sound * x -> (B, h, w, C).
at::Tensor agreement(const at::Tensor& x, const at::Tensor& sound);

enum class Join { add, multiply };
// x + sound or x * sound, in x.
void join_sound(at::Tensor& x, const at::Tensor& sound, Join join);

// sound * factor, a factor alike for all slots -> (B, t, h, w, C).
at::Tensor modulate(const at::Tensor& sound, const at::Tensor& factor);

}  // namespace diffsal
