#include "inference/packed_linear.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

#include "inference/rows.h"

namespace diffsal {
namespace {

// Rows whose norms are made together.
constexpr int64_t normed_rows = 96;

Tensor result_of(const Tensor& x, int64_t channels) {
  auto shape = x.sizes().vec();
  shape.back() = channels;
  return at::empty(shape, x.options());
}

template <typename Work>
void each_rows(const Tensor& x, Work work) {
  at::parallel_for(0, x.numel() / x.size(-1), least_rows, work);
}

}  // namespace

Tensor PackedLinear::operator()(const Tensor& x) const {
  auto y = result_of(x, out());
  const float* source = x.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  each_rows(x, [&](int64_t begin, int64_t end) { rows(source + begin * in(), end - begin, target + begin * out()); });
  return y;
}

void PackedLinear::add_to(Tensor& to, const Tensor& x) const {
  const float* source = x.const_data_ptr<float>();
  float* target = to.data_ptr<float>();
  each_rows(x, [&](int64_t begin, int64_t end) { rows(source + begin * in(), end - begin, target + begin * out(), true); });
}

Tensor linear_of_norm(const Tensor& x, const LayerNorm& norm, const PackedLinear& linear) {
  auto y = result_of(x, linear.out());
  int64_t channels = x.size(-1);
  const float *source = x.const_data_ptr<float>(), *scale = norm.weight.const_data_ptr<float>(), *shift = norm.bias.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  each_rows(x, [&](int64_t begin, int64_t end) {
    std::vector<float> normed(static_cast<size_t>(normed_rows * channels));
    for (int64_t first = begin; first < end; first += normed_rows) {
      int64_t count = std::min(normed_rows, end - first);
      normalise_rows(source + first * channels, scale, shift, channels, count, normed.data());
      linear.rows(normed.data(), count, target + first * linear.out());
    }
  });
  return y;
}

}  // namespace diffsal
