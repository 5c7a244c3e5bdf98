#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include "ops/interpolation.h"
#include "ops/side.h"
#include "ops/upsampled_convolution.h"

namespace diffsal {

// Upsampling is two matrix products, rows and then columns, of a map that is extended by three places on each side; where that is as many as
// the large map has, it is made as it is.
Tensor UpsampledConvolution::torch(const Tensor& x, const Convolution& convolution, bool relu) const {
  int64_t maps = x.size(0), h = x.size(1), w = x.size(2);
  if ((h + 6) * (w + 6) >= 4 * h * w) {
    auto large = at::upsample_bilinear2d(x.permute({0, 3, 1, 2}), {2 * h, 2 * w}, false).permute({0, 2, 3, 1});
    return convolve_torch(large, convolution, {.relu = relu});
  }
  auto [weight, bias] = convolution.in(x.scalar_type());
  const auto& [places, within, down, across] = doubling_.of({h, w, x.scalar_type()}, [&] {
    auto rows = doubling_places(h).unsqueeze(1), columns = doubling_places(w).unsqueeze(0);
    auto inside = ((rows >= 0) & (columns >= 0)).flatten();
    return Doubling{(rows.clamp_min(0) * w + columns.clamp_min(0)).flatten().to(x.device()), inside.to(x.options()).unsqueeze(1),
                    doubling_interpolation(h).to(x.options()), doubling_interpolation(w).to(x.options())};
  });
  int64_t height = down.size(1), width = across.size(1), channels = weight.size(0), lines = maps * down.size(0);
  auto extended = (x.flatten(1, 2).index_select(1, places) * within).view({maps, height, width, x.size(3)});
  auto y = at::conv2d(extended.permute({0, 3, 1, 2}), weight, {}, {1, 1}, {1, 1}).permute({0, 2, 3, 1}).contiguous();
  auto taller = at::bmm(down.expand({maps, -1, -1}), y.view({maps, height, width * channels}));
  auto doubled = at::bmm(across.expand({lines, -1, -1}), taller.view({lines, width, channels}));
  bool own = !at::GradMode::is_enabled();
  if (bias.defined()) doubled = own ? doubled.add_(bias) : doubled + bias;
  if (relu) doubled = own ? at::relu_(doubled) : at::relu(doubled);
  return doubled.view({maps, 2 * h, 2 * w, channels});
}

}  // namespace diffsal
