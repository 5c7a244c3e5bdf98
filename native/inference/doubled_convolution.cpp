#include "inference/doubled_convolution.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/relu.h>

#include "inference/cast_source.h"
#include "inference/interpolation.h"

namespace diffsal {

DoubledConvolution::DoubledConvolution(const Tensor& weight, const Tensor& bias, int64_t height, int64_t width, at::ScalarType type)
    : weight_(channels_last(weight.to(type))), bias_(bias.to(type)) {
  auto rows = doubling_places(height).unsqueeze(1), columns = doubling_places(width).unsqueeze(0);
  auto within = ((rows >= 0) & (columns >= 0)).flatten();
  places_ = (rows.clamp_min(0) * width + columns.clamp_min(0)).flatten().to(weight.device());
  within_ = within.to(weight_.options()).unsqueeze(1);
  rows_ = doubling_interpolation(height).to(weight_.options());
  columns_ = doubling_interpolation(width).to(weight_.options());
}

Tensor DoubledConvolution::operator()(const Tensor& x) const {
  int64_t maps = x.size(0), height = rows_.size(1), width = columns_.size(1), channels = bias_.size(0);
  auto extended = x.flatten(1, 2).index_select(1, places_).mul_(within_).view({maps, height, width, x.size(3)});
  auto y = at::conv2d(extended.permute({0, 3, 1, 2}), weight_, {}, {1, 1}, {1, 1}).permute({0, 2, 3, 1}).contiguous();
  auto taller = at::bmm(rows_.expand({maps, -1, -1}), y.view({maps, height, width * channels}));
  int64_t lines = maps * rows_.size(0);
  auto doubled = at::bmm(columns_.expand({lines, -1, -1}), taller.view({lines, width, channels}));
  return at::relu_(doubled.add_(bias_)).view({maps, rows_.size(0), columns_.size(0), channels});
}

}  // namespace diffsal
