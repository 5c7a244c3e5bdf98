#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

// Where sound meets a map. Channels-last maps: x is (B, t, h, w, C), sound (B, t, h / r, w / r, C), each place of which stands for r x r of the
// map's.

// Eq. 9's factor: softmax along the width of the mean over the slots of sound * x -> (B, h, w, C), float32.
at::Tensor agreement(const at::Tensor& x, const at::Tensor& sound);

enum class Join { add, multiply };
// x + sound or x * sound
at::Tensor join_sound(const at::Tensor& x, const at::Tensor& sound, Join join);

// sound * factor, a factor alike for all slots -> (B, t, h, w, C) in the sound's type.
at::Tensor modulate(const at::Tensor& sound, const at::Tensor& factor);

// Their sides.
at::Tensor agreement_torch(const at::Tensor& x, const at::Tensor& sound);
at::Tensor join_sound_torch(const at::Tensor& x, const at::Tensor& sound, Join join);
at::Tensor modulate_torch(const at::Tensor& sound, const at::Tensor& factor);
at::Tensor agreement_cpu(const at::Tensor& x, const at::Tensor& sound);
at::Tensor join_sound_cpu(const at::Tensor& x, const at::Tensor& sound, Join join);
at::Tensor modulate_cpu(const at::Tensor& sound, const at::Tensor& factor);

}  // namespace diffsal
