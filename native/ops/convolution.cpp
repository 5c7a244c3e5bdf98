#include "ops/convolution.h"

#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>

#include <functional>
#include <numeric>

#include "ops/packed_convolution.h"
#include "ops/side.h"

namespace diffsal {

Convolution::Convolution(const Scope& scope, int64_t in, int64_t out, Sizes kernel, ConvolutionOptions given) : options(std::move(given)) {
  if (options.stride.empty()) options.stride = Sizes(kernel.size(), 1);
  if (options.padding.empty()) options.padding = Sizes(kernel.size(), 0);
  if (options.dilation.empty()) options.dilation = Sizes(kernel.size(), 1);
  Sizes shape = {out, in / options.groups};
  shape.insert(shape.end(), kernel.begin(), kernel.end());
  int64_t fan_in = std::accumulate(shape.begin() + 1, shape.end(), int64_t{1}, std::multiplies<>());
  weight = scope.parameter("weight", shape, Init::fan_in, fan_in);
  if (options.bias) bias = scope.parameter("bias", {out}, options.bias_init, fan_in);
}

Tensor Convolution::plane(const Tensor& whole) const {
  if (whole.dim() == dimensions() + 2) return whole;
  return whole.size(2) == 1 ? whole.squeeze(2) : whole.flatten(3);
}

const PackedConvolution& Convolution::packed() const {
  return *packed_.of({weight, bias}, [&] { return std::make_shared<const PackedConvolution>(*this); });
}

Tensor convolve(const Tensor& x, const Convolution& c, const After& after) {
  bool packed = on_packed_side(x, c.weight, c.bias, after.image_bias, after.residual, after.last);
  return packed ? convolve_cpu(x, c, after) : convolve_torch(x, c, after);
}

Tensor norm_maps(const Tensor& y, const BatchNorm& norm, const Pass& pass, bool relu) {
  auto z = norm(y.permute({0, 3, 1, 2}), pass).permute({0, 2, 3, 1});
  return relu ? at::relu(z) : z;
}

Tensor NormedConvolution::operator()(const Tensor& x, const Pass& pass, const After& after) const {
  // What is folded is made outside of autograd.
  if (!pass.training && !wants_gradients(convolution.weight, norm.weight)) return convolve(x, folded(), after);
  return add_residual(norm_maps(convolve(x, convolution), norm, pass, after.relu), after);
}

const Convolution& NormedConvolution::folded() const {
  const auto& c = convolution;
  return folded_.of({{c.weight, c.bias, norm.weight, norm.bias, norm.running_mean, norm.running_var}, norm.batches}, [&] {
    auto scale = norm.weight * at::rsqrt(norm.running_var + norm.options.epsilon);
    auto bias = norm.bias - norm.running_mean * scale;
    if (c.bias.defined()) bias = bias + c.bias * scale;
    auto whole = c.plane(c.weight);
    Sizes shape(static_cast<size_t>(whole.dim()), 1);
    shape[0] = -1;
    return Convolution(whole * scale.view(shape), bias, c.options);
  });
}

}  // namespace diffsal
