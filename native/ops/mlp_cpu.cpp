#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "ops/mlp.h"
#include "ops/rows.h"

namespace diffsal {

void mlp_rows(float* x, int64_t count, const LayerNorm& norm, const PackedLinear& fc1, const PackedLinear& fc2, float* normed, float* hidden) {
  normalise_rows(x, norm.weight.const_data_ptr<float>(), norm.bias.const_data_ptr<float>(), fc1.in(), count, normed);
  fc1.rows(normed, count, hidden);
  gelu(hidden, count * fc1.out());
  fc2.rows(hidden, count, x, true);
}

void mlp_cpu(Tensor& x, const MLP& mlp) {
  constexpr int64_t cached = 1 << 17;  // floats between the layers
  const auto &fc1 = mlp.fc1.packed(), &fc2 = mlp.fc2.packed();
  int64_t channels = x.size(-1), length = std::clamp<int64_t>(cached / fc1.out(), 48, 480);
  float* data = x.data_ptr<float>();
  at::parallel_for(0, x.numel() / channels, least_rows, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;  // each thread has its own
    int64_t most = std::min(length, end - begin);
    auto normed = at::empty({most, channels}, x.options()), hidden = at::empty({most, fc1.out()}, x.options());
    for (int64_t first = begin; first < end; first += length) {
      mlp_rows(data + first * channels, std::min(length, end - first), mlp.norm, fc1, fc2, normed.data_ptr<float>(), hidden.data_ptr<float>());
    }
  });
}

}  // namespace diffsal
