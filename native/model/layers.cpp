#include "model/layers.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <functional>
#include <numeric>

#include "runtime/cancellation.h"

namespace diffsal {

void stop_point(const Tensor& x) {
  throw_if_cancelled();
  if (x.defined() && x.requires_grad()) x.register_hook([](const Tensor&) { throw_if_cancelled(); });
}

Linear::Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias)
    : weight(scope.parameter("weight", {out, in}, Init::fan_in, in)) {
  if (with_bias) bias = scope.parameter("bias", {out}, Init::fan_in, in);
}

Tensor Linear::operator()(const Tensor& x) const { return at::linear(x, weight, bias); }

LayerNorm::LayerNorm(const Scope& scope, int64_t channels)
    : weight(scope.parameter("weight", {channels}, Init::ones)), bias(scope.parameter("bias", {channels}, Init::zeros)) {}

Tensor LayerNorm::operator()(const Tensor& x) const { return at::layer_norm(x, weight.sizes(), weight, bias, 1e-5); }

Tensor LayerNorm::over_channels(const Tensor& x) const { return (*this)(x.movedim(1, -1)).movedim(-1, 1); }

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

Tensor Convolution::operator()(const Tensor& x) const {
  std::optional<Tensor> b;
  if (bias.defined()) b = bias;
  const auto& o = options;
  return weight.dim() == 4 ? at::conv2d(x, weight, b, o.stride, o.padding, o.dilation, o.groups)
                           : at::conv3d(x, weight, b, o.stride, o.padding, o.dilation, o.groups);
}

GroupNorm::GroupNorm(const Scope& scope, int64_t groups, int64_t channels)
    : weight(scope.parameter("weight", {channels}, Init::ones)), bias(scope.parameter("bias", {channels}, Init::zeros)), groups(groups) {}

Tensor GroupNorm::operator()(const Tensor& x) const { return at::group_norm(x, groups, weight, bias, 1e-6); }

BatchNorm::BatchNorm(const Scope& scope, int64_t channels, BatchNormOptions options)
    : weight(scope.parameter("weight", {channels}, Init::ones)),
      bias(scope.parameter("bias", {channels}, Init::zeros)),
      running_mean(scope.buffer("running_mean", {channels}, Init::zeros)),
      running_var(scope.buffer("running_var", {channels}, Init::ones)),
      options(options) {}

Tensor BatchNorm::operator()(const Tensor& x, const Pass& pass) const {
  return at::batch_norm(x, weight, bias, running_mean, running_var, pass.training, options.momentum, options.epsilon, false);
}

Tensor resize_bilinear(const Tensor& x, int64_t height, int64_t width) {
  if (x.size(-2) == height && x.size(-1) == width) return x;
  return at::upsample_bilinear2d(x, {height, width}, false);
}

}  // namespace diffsal
