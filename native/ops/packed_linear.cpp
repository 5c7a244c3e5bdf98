#include "ops/packed_linear.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

namespace diffsal {
namespace {

template <typename Work>
void each_rows(const at::Tensor& x, Work work) {
  at::parallel_for(0, x.numel() / x.size(-1), least_rows, work);
}

}  // namespace

at::Tensor PackedLinear::operator()(const at::Tensor& x) const {
  auto shape = x.sizes().vec();
  shape.back() = out();
  auto y = at::empty(shape, x.options());
  const float* source = x.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  each_rows(x, [&](int64_t begin, int64_t end) { rows(source + begin * in(), end - begin, target + begin * out()); });
  return y;
}

void PackedLinear::add_to(at::Tensor& to, const at::Tensor& x) const {
  const float* source = x.const_data_ptr<float>();
  float* target = to.data_ptr<float>();
  each_rows(x, [&](int64_t begin, int64_t end) { rows(source + begin * in(), end - begin, target + begin * out(), true); });
}

}  // namespace diffsal
