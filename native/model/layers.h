#pragma once
#include <ATen/TensorOperators.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "model/parameters.h"

namespace diffsal {

using at::Tensor;
using Sizes = std::vector<int64_t>;

// What a pass through the network is for: while training, BatchNorm uses and updates the batch's statistics and dropout
// is drawn from `generator`, which is the CPU's.
struct Pass {
  bool training = false;
  std::optional<at::Generator> generator;
  // Instead of the configuration's.
  std::optional<double> dropout = {};
};

// A place where a cancelled job stops: here, and in the backward pass when the gradient comes to `x`, which may be undefined. (Of CUDA's
// backward, which is another thread's and short, it does not know.)
void stop_point(const Tensor& x);

// y = x W^T + b over the last dimension.
struct Linear {
  Linear(const Scope& scope, int64_t in, int64_t out, bool bias = true);
  Linear(Tensor weight, Tensor bias) : weight(std::move(weight)), bias(std::move(bias)) {}
  Tensor operator()(const Tensor& x) const;
  Tensor weight, bias;
};

// Over the last dimension, epsilon 1e-5.
struct LayerNorm {
  LayerNorm(const Scope& scope, int64_t channels);
  Tensor operator()(const Tensor& x) const;
  // Over dimension 1 of (B, C, ...).
  Tensor over_channels(const Tensor& x) const;
  Tensor weight, bias;
};

struct ConvolutionOptions {
  Sizes stride = {}, padding = {}, dilation = {};  // empty: 1, 0, 1
  int64_t groups = 1;
  bool bias = true;
  Init bias_init = Init::fan_in;
};

// A 2-D or 3-D convolution, as `kernel` has two or three sizes.
struct Convolution {
  Convolution(const Scope& scope, int64_t in, int64_t out, Sizes kernel, ConvolutionOptions options = {});
  Tensor operator()(const Tensor& x) const;
  Tensor weight, bias;
  ConvolutionOptions options;
};

// 32 groups in the paper's size, epsilon 1e-6.
struct GroupNorm {
  GroupNorm(const Scope& scope, int64_t groups, int64_t channels);
  Tensor operator()(const Tensor& x) const;
  Tensor weight, bias;
  int64_t groups;
};

struct BatchNormOptions {
  double epsilon = 1e-5, momentum = 0.1;
};

struct BatchNorm {
  BatchNorm(const Scope& scope, int64_t channels, BatchNormOptions options = {});
  Tensor operator()(const Tensor& x, const Pass& pass) const;
  Tensor weight, bias, running_mean, running_var;
  BatchNormOptions options;
};

// Applies a 2-D function to every slot of (B, C, t, h, w).
template <typename Function>
Tensor per_slot(const Tensor& x, Function function) {
  auto y = function(x.transpose(1, 2).flatten(0, 1));
  return y.unflatten(0, {x.size(0), x.size(2)}).transpose(1, 2);
}

// Bilinear, pixel centres at half-integers.
Tensor resize_bilinear(const Tensor& x, int64_t height, int64_t width);

}  // namespace diffsal
