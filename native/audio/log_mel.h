#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

// Natural log of the mel magnitude + 0.01: mono samples (n,) -> (frames, 64) float64. Window 25 ms (periodic Hann), hop
// 10 ms, FFT the next power of two, 64 HTK mel bands of 125-7500 Hz, no padding.
at::Tensor log_mel(const at::Tensor& samples, int64_t rate);

// Slices of 64 frames (0.64 s) every 11 (0.11 s), resized: mono samples (n,) -> (1, slots, height, width) float32. Where
// the sound makes n < slots of them, each is repeated slots / n times and the first slots % n follow.
at::Tensor mel_slices(const at::Tensor& samples, int64_t height, int64_t width, int64_t slots, int64_t rate);

}  // namespace diffsal
