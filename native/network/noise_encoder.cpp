#include "network/noise_encoder.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/silu.h>

#include <cmath>

#include "ops/shared_batch.h"
#include "ops/side.h"
#include "runtime/transfer.h"

namespace diffsal {
namespace {

Tensor dropout(const Tensor& x, double configured, const Pass& pass) {
  double p = pass.dropout.value_or(configured);
  if (!pass.training || p == 0) return x;
  // Drawn with the channels outermost, a byte each on its way to the device.
  auto sizes = x.permute({0, 3, 1, 2}).sizes().vec();
  const auto* shared = SharedBatchScope::current();
  if (shared != nullptr) sizes[0] = shared->size;  // as one process with the whole batch would draw it
  auto kept = at::empty(sizes, at::kByte).bernoulli_(1 - p, pass.generator);
  if (shared != nullptr) kept = kept.index_select(0, shared->samples);
  return x * to_device(kept, x.device()).permute({0, 2, 3, 1}).to(at::kFloat).div_(1 - p).to(x.scalar_type());
}

Convolution square3(const Scope& scope, int64_t in, int64_t out) { return Convolution(scope, in, out, {3, 3}, {.padding = {1, 1}}); }

// A 3x3 convolution whose zero padding is on the right and bottom only.
Convolution shrinking(const Scope& scope, int64_t channels, int64_t stride) {
  return Convolution(scope / "conv", channels, channels, {3, 3}, {.stride = {stride, stride}, .after = 1});
}

}  // namespace

ResnetBlock::ResnetBlock(const Scope& scope, int64_t in, int64_t out, int64_t time_width, int64_t groups, double dropout)
    : norm1_(scope / "norm1", groups, in),
      conv1_(square3(scope / "conv1", in, out)),
      temb_proj_(scope / "temb_proj", time_width, out),
      norm2_(scope / "norm2", groups, out),
      conv2_(square3(scope / "conv2", out, out)),
      dropout_(dropout) {
  if (in != out) nin_shortcut_.emplace(Linear::pointwise(scope / "nin_shortcut", in, out, 2));
}

Tensor ResnetBlock::operator()(const Tensor& x, const Tensor& time, const Pass& pass) const {
  auto h = convolve(norm1_.activate(x), conv1_, {.image_bias = temb_proj_(time)});
  return convolve(dropout(norm2_.activate(h), dropout_, pass), conv2_, {.residual = nin_shortcut_ ? (*nin_shortcut_)(x) : x});
}

NoiseEncoder::NoiseEncoder(const Scope& scope, const Config& c)
    : dense0_(scope / "temb" / "dense" / 0, c.unet_width, 4 * c.unet_width),
      dense1_(scope / "temb" / "dense" / 1, 4 * c.unet_width, 4 * c.unet_width),
      conv_in_(square3(scope / "conv_in", 1, c.unet_width)),
      down1_(shrinking(scope / "down1", c.unet_width, 4)),
      width_(c.unet_width) {
  auto channels = c.channels();
  int64_t time = 4 * c.unet_width, in = c.unet_width;
  if (!c.released()) {
    in = channels.back();
    res_in_.emplace(scope / "res_in", c.unet_width, in, time, c.norm_groups, c.dropout);
  }
  for (size_t i = 0; i + 1 < channels.size(); ++i) {
    int64_t out = channels[channels.size() - 2 - i];
    auto stage = scope / "res_encoder" / static_cast<int64_t>(i);
    stages_.push_back({ResnetBlock(stage / 0, in, out, time, c.norm_groups, c.dropout), shrinking(stage / 1, out, 2)});
    in = out;
  }
}

// Each tap of the outer one spreads the inner kernel about its place: 5x5, stride 4, padding 1. A size is a multiple of 4, so the outer one reads
// none of its own padding.
Tensor NoiseEncoder::enter(const Tensor& noisy) const {
  const auto &inner = conv_in_, &outer = down1_;
  auto compose = [&] {
    auto bias = outer.bias + (outer.weight.sum({2, 3}) * inner.bias).sum(1);
    return Convolution(at::conv_transpose2d(outer.weight, inner.weight), bias, {.stride = {4, 4}, .padding = {1, 1}, .dilation = {1, 1}});
  };
  auto maps = noisy.permute({0, 2, 3, 1});
  if (wants_gradients(inner.weight, inner.bias, outer.weight, outer.bias)) return convolve(maps, compose());
  return convolve(maps, entrance_.of({inner.weight, inner.bias, outer.weight, outer.bias}, compose));
}

Tensor NoiseEncoder::time_code(const Tensor& t) const {
  const int64_t count = width_ / 2;
  const auto& frequencies = frequencies_.of(count, [&] {
    auto index = at::arange(count, dense0_.weight.options().dtype(at::kFloat));
    return at::exp(index * -(std::log(10000.0) / static_cast<double>(count - 1)));
  });
  auto angle = t.to(at::kFloat).unsqueeze(1) * frequencies.unsqueeze(0);
  return dense1_(at::silu(dense0_(at::cat({angle.sin(), angle.cos()}, 1))));
}

std::vector<Tensor> NoiseEncoder::operator()(const Tensor& noisy, const Tensor& t, at::ScalarType type, const Pass& pass) const {
  auto time = at::silu(time_code(t));
  auto x = enter(noisy).to(type);
  std::vector<Tensor> maps;
  if (res_in_) {
    x = (*res_in_)(x, time, pass);
    maps.push_back(x);
  }
  for (const auto& stage : stages_) {
    x = convolve(stage.block(x, time, pass), stage.shrink);
    maps.insert(maps.begin(), x);
  }
  return maps;
}

}  // namespace diffsal
