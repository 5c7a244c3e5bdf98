#include "ops/upsampled_convolution.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "ops/rows.h"
#include "ops/side.h"
#include "ops/upsampled_taps.h"

namespace diffsal {

Tensor UpsampledConvolution::operator()(const Tensor& x, const Pass& pass) const {
  const auto& plain = layer_.convolution;
  if (pass.training) return norm_maps(torch(x, plain, false), layer_.norm, pass, true);
  const auto& folded = layer_.folded();
  return on_packed_side(x, plain.weight) ? cpu(x, folded) : torch(x, folded, true);
}

// The nine taps' 1x1 products run on the small map, and only the nine results are upsampled, moved and added.
Tensor UpsampledConvolution::cpu(const Tensor& x, const Convolution& convolution) const {
  const auto& product = taps_.of({convolution.weight, convolution.bias}, [&] { return PackedLinear(tap_matrix(convolution.weight), {}); });
  int64_t channels = convolution.weight.size(0);
  auto products = product(x);
  UpsampledTaps taps{x.size(1), x.size(2), channels, 2, 2};
  auto y = at::empty({x.size(0), taps.rows(), taps.columns(), channels}, x.options());
  const float *source = products.const_data_ptr<float>(), *bias = convolution.bias.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  at::parallel_for(0, y.size(0) * taps.rows(), 1, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch;
    for (int64_t row = begin; row < end; ++row) {
      float* to = target + row * taps.columns() * channels;
      taps.row(source + row / taps.rows() * taps.height * taps.width * 9 * channels, row % taps.rows(), false, to, scratch);
      for (int64_t column = 0; column < taps.columns(); ++column) add_relu(to + column * channels, bias, channels);
    }
  });
  return y;
}

}  // namespace diffsal
