#include "inference/token_mlp.h"

#include <ATen/Parallel.h>
#include <ATen/ops/gelu.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

namespace diffsal {

void add_mlp(Tensor& x, const LayerNorm& norm, const Linear& fc1, const Linear& fc2) {
  auto rows = x.view({-1, x.size(-1)});
  const int64_t hidden = 1 << 19;  // floats between the layers
  int64_t total = rows.size(0), threads = at::get_num_threads();
  int64_t length = std::max<int64_t>(std::min(hidden / fc1.weight.size(0), (total + threads - 1) / threads), 1), chunks = (total + length - 1) / length;
  at::parallel_for(0, chunks, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;  // each thread has its own
    for (int64_t i = begin; i < end; ++i) {
      auto part = rows.narrow(0, i * length, std::min(length, total - i * length));
      auto between = fc1(norm(part));
      at::gelu_(between);
      part.addmm_(between, fc2.weight.t()).add_(fc2.bias);
    }
  });
}

}  // namespace diffsal
