#pragma once
#include <ATen/core/Tensor.h>

namespace diffsal {

// The rate the network hears at.
constexpr int64_t network_rate = 16000;

// Band-limited resampling by a windowed sinc: mono samples (n,) at `from` hertz -> (ceil(n to / from),) at `to`.
at::Tensor resample(const at::Tensor& samples, int64_t from, int64_t to);

// A clip's sound centred in `length` samples of silence, or cut around its centre.
at::Tensor centre(const at::Tensor& samples, int64_t length);

}  // namespace diffsal
