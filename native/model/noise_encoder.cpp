#include "model/noise_encoder.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/silu.h>

#include <cmath>

#include "runtime/transfer.h"

namespace diffsal {
namespace {

Tensor dropout(const Tensor& x, double configured, const Pass& pass) {
  double p = pass.dropout.value_or(configured);
  if (!pass.training || p == 0) return x;
  // A byte each on its way to the device.
  auto kept = at::empty(x.sizes(), at::kByte).bernoulli_(1 - p, pass.generator);
  return x * to_device(kept, x.device()).to(at::kFloat).div_(1 - p).to(x.scalar_type());
}

Convolution square3(const Scope& scope, int64_t in, int64_t out) {
  return Convolution(scope, in, out, {3, 3}, {.padding = {1, 1}});
}

// A 3x3 convolution whose zero padding is on the right and bottom only.
Convolution shrinking(const Scope& scope, int64_t channels, int64_t stride) {
  return Convolution(scope / "conv", channels, channels, {3, 3}, {.stride = {stride, stride}});
}
Tensor pad_right_bottom(const Tensor& x) { return at::constant_pad_nd(x, {0, 1, 0, 1}); }

}  // namespace

Tensor timestep_frequencies(int64_t width, const at::TensorOptions& options) {
  int64_t half = width / 2;
  return at::exp(at::arange(half, options.dtype(at::kFloat)) * -(std::log(10000.0) / static_cast<double>(half - 1)));
}

Tensor timestep_embedding(const Tensor& t, const Tensor& frequencies) {
  auto angle = t.to(at::kFloat).unsqueeze(1) * frequencies.unsqueeze(0);
  return at::cat({angle.sin(), angle.cos()}, 1);
}

ResnetBlock::ResnetBlock(const Scope& scope, int64_t in, int64_t out, int64_t time_width, int64_t groups, double dropout)
    : norm1_(scope / "norm1", groups, in),
      conv1_(square3(scope / "conv1", in, out)),
      temb_proj_(scope / "temb_proj", time_width, out),
      norm2_(scope / "norm2", groups, out),
      conv2_(square3(scope / "conv2", out, out)),
      dropout_(dropout) {
  if (in != out) nin_shortcut_.emplace(scope / "nin_shortcut", in, out, Sizes{1, 1});
}

Tensor ResnetBlock::operator()(const Tensor& x, const Tensor& time, const Pass& pass) const {
  auto h = conv1_(at::silu(norm1_(x)));
  h = h + temb_proj_(at::silu(time)).unsqueeze(2).unsqueeze(3);
  h = conv2_(dropout(at::silu(norm2_(h)), dropout_, pass));
  return h + (nin_shortcut_ ? (*nin_shortcut_)(x) : x);
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

std::vector<Tensor> NoiseEncoder::operator()(const Tensor& noisy, const Tensor& t, const Pass& pass) const {
  auto time = timestep_code(t, timestep_frequencies(width_, dense0_.weight.options()), dense0_, dense1_);
  auto x = down1_(pad_right_bottom(conv_in_(noisy)));
  std::vector<Tensor> maps;
  if (res_in_) {
    x = (*res_in_)(x, time, pass);
    maps.push_back(x.unsqueeze(2));
  }
  for (const auto& stage : stages_) {
    x = stage.shrink(pad_right_bottom(stage.block(x, time, pass)));
    maps.insert(maps.begin(), x.unsqueeze(2));
  }
  return maps;
}

}  // namespace diffsal
