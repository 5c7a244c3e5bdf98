#include "inference/lean_noise.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>

#include "inference/cast_source.h"
#include "inference/folding.h"

namespace diffsal {
namespace {

Convolution prepared(const Convolution& convolution, at::ScalarType type) {
  auto copy = cast(convolution, type);
  copy.weight = channels_last(copy.weight);
  return copy;
}

Convolution first_of(const Convolution& inner, const Convolution& outer) {
  auto [weight, bias] = compose(inner, outer);
  auto both = outer;
  both.weight = weight;
  both.bias = bias;
  both.options.padding = {1, 1};
  return both;
}

}  // namespace

LeanNoise::Block LeanNoise::prepare(const ResnetBlock& block, std::vector<Tensor>& weights, std::vector<Tensor>& biases) const {
  Block made{cast(block.norm1_, type_), prepared(block.conv1_, type_), cast(block.norm2_, type_), prepared(block.conv2_, type_), {}};
  if (block.nin_shortcut_) made.shortcut.emplace(prepared(*block.nin_shortcut_, type_));
  weights.push_back(block.temb_proj_.weight);
  biases.push_back(block.temb_proj_.bias + block.conv1_.bias);
  made.conv1.bias = Tensor();
  return made;
}

Tensor LeanNoise::Block::operator()(const Tensor& x, const Tensor& time) const {
  auto h = conv1(at::silu(norm1(x))).add_(time.unsqueeze(2).unsqueeze(3));
  return conv2(at::silu(norm2(h))).add_(shortcut ? (*shortcut)(x) : x);
}

LeanNoise::LeanNoise(const NoiseEncoder& encoder, at::ScalarType type)
    : type_(type),
      frequencies_(timestep_frequencies(encoder.width_, encoder.dense0_.weight.options())),
      dense0_(encoder.dense0_),
      dense1_(encoder.dense1_),
      first_(first_of(encoder.conv_in_, encoder.down1_)) {
  std::vector<Tensor> weights, biases;
  if (encoder.res_in_) blocks_.push_back(prepare(*encoder.res_in_, weights, biases));
  for (const auto& [block, shrink] : encoder.stages_) {
    blocks_.push_back(prepare(block, weights, biases));
    shrinks_.push_back(prepared(shrink, type));
  }
  for (const auto& bias : biases) time_channels_.push_back(bias.size(0));
  time_weight_ = at::cat(weights);
  time_bias_ = at::cat(biases);
}

std::vector<Tensor> LeanNoise::operator()(const Tensor& noisy, const Tensor& t) const {
  auto time = timestep_code(t, frequencies_, dense0_, dense1_);
  auto times = at::linear(at::silu(time), time_weight_, time_bias_).to(type_).split_with_sizes(time_channels_, 1);
  auto x = first_(noisy).to(type_).contiguous(at::MemoryFormat::ChannelsLast);
  std::vector<Tensor> maps;
  size_t shrunk = blocks_.size() - shrinks_.size();
  for (size_t i = 0; i < blocks_.size(); ++i) {
    x = blocks_[i](x, times[i]);
    if (i >= shrunk) x = shrinks_[i - shrunk](at::constant_pad_nd(x, {0, 1, 0, 1}));
    maps.insert(maps.begin(), x.permute({0, 2, 3, 1}));
  }
  return maps;
}

}  // namespace diffsal
