#include "ops/max_pool.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d.h>

#include "ops/side.h"
#include "ops/vectorised.h"

namespace diffsal {
namespace {

DIFFSAL_VECTORISED
void greatest_of_four(const float* a, const float* b, const float* c, const float* d, int64_t channels, float* to) {
  for (int64_t i = 0; i < channels; ++i) {
    float left = ((a[i] > b[i]) | (a[i] != a[i])) ? a[i] : b[i], right = ((c[i] > d[i]) | (c[i] != c[i])) ? c[i] : d[i];
    to[i] = ((left > right) | (left != left)) ? left : right;
  }
}

}  // namespace

at::Tensor max_pool(const at::Tensor& x) { return on_packed_side(x) ? max_pool_cpu(x.contiguous()) : max_pool_torch(x); }

at::Tensor max_pool_torch(const at::Tensor& x) { return at::max_pool2d(x.permute({0, 3, 1, 2}), {2, 2}, {2, 2}).permute({0, 2, 3, 1}); }

at::Tensor max_pool_cpu(const at::Tensor& x) {
  int64_t h = x.size(1) / 2, w = x.size(2) / 2, channels = x.size(3), line = x.size(2) * channels;
  auto y = at::empty({x.size(0), h, w, channels}, x.options());
  const float* source = x.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  at::parallel_for(0, x.size(0) * h, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* from = source + (row / h * x.size(1) + row % h * 2) * line;
      for (int64_t column = 0; column < w; ++column, from += 2 * channels) {
        greatest_of_four(from, from + channels, from + line, from + line + channels, channels, target + (row * w + column) * channels);
      }
    }
  });
  return y;
}

}  // namespace diffsal
