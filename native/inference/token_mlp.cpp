#include "inference/token_mlp.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "inference/rows.h"

namespace diffsal {

void add_mlp(Tensor& x, const LayerNorm& norm, const PackedLinear& fc1, const PackedLinear& fc2) {
  const int64_t hidden = 1 << 17;  // floats between the layers
  int64_t channels = x.size(-1), length = std::clamp<int64_t>(hidden / fc1.out(), 48, 480);
  const float *scale = norm.weight.const_data_ptr<float>(), *shift = norm.bias.const_data_ptr<float>();
  float* data = x.data_ptr<float>();
  at::parallel_for(0, x.numel() / channels, 24, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;  // each thread has its own
    int64_t most = std::min(length, end - begin);
    auto normed = at::empty({most, channels}, x.options()), between = at::empty({most, fc1.out()}, x.options());
    for (int64_t first = begin; first < end; first += length) {
      int64_t count = std::min(length, end - first);
      float *rows = data + first * channels, *n = normed.data_ptr<float>();
      for (int64_t i = 0; i < count; ++i) normalise_row(rows + i * channels, scale, shift, channels, n + i * channels);
      float* h = between.data_ptr<float>();
      fc1.rows(n, count, h);
      gelu(h, count * fc1.out());
      fc2.rows(h, count, rows, true);
    }
  });
}

}  // namespace diffsal
