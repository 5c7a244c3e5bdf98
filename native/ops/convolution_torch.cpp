#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/relu.h>

#include "ops/convolution.h"
#include "ops/side.h"

namespace diffsal {
namespace {

std::optional<Tensor> optional(const Tensor& bias) { return bias.defined() ? std::optional(bias) : std::nullopt; }

}  // namespace

Tensor Convolution::operator()(const Tensor& x) const {
  auto [w, b] = in(x.scalar_type());
  const auto& o = options;
  return dimensions() == 2 ? at::conv2d(x, plane(w), optional(b), o.stride, o.padding, o.dilation, o.groups)
                           : at::conv3d(x, w, optional(b), o.stride, o.padding, o.dilation, o.groups);
}

Tensor add_residual(Tensor y, const After& after) {
  if (!after.residual.defined()) return y;
  bool own = !at::GradMode::is_enabled();
  if (!after.last.defined()) return own ? y.add_(after.residual) : y + after.residual;
  int64_t others = after.residual.size(1);
  auto slots = y.view({-1, others + 1, y.size(1), y.size(2), y.size(3)});
  if (!own) return (slots + at::cat({after.residual, after.last.unsqueeze(1)}, 1)).flatten(0, 1);
  slots.narrow(1, 0, others).add_(after.residual);
  slots.select(1, others).add_(after.last);
  return y;
}

Tensor convolve_torch(const Tensor& x, const Convolution& convolution, const After& after) {
  auto maps = x.permute({0, 3, 1, 2});
  if (int64_t more = convolution.options.after) maps = at::constant_pad_nd(maps, {0, more, 0, more});
  auto y = convolution(maps).permute({0, 2, 3, 1}).contiguous();
  bool own = !at::GradMode::is_enabled();
  if (after.image_bias.defined()) {
    auto bias = after.image_bias.to(y.scalar_type()).unsqueeze(1).unsqueeze(1);
    y = own ? y.add_(bias) : y + bias;
  }
  if (after.relu) y = own ? at::relu_(y) : at::relu(y);
  return add_residual(y, after);
}

}  // namespace diffsal
