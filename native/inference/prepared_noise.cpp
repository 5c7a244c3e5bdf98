#include "inference/prepared_noise.h"

#include <ATen/ops/group_norm.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>

#include "inference/folding.h"

namespace diffsal {
namespace {

// Wider than this, a convolution of the noise alone has too few places for the transform's larger filters to pay.
constexpr int64_t widest_transformed = 384;

// silu(norm(x)) of a channels-last map.
Tensor activate(const GroupNorm& norm, const Tensor& x) {
  auto y = norm(x.permute({0, 3, 1, 2}));
  return at::silu_(y).permute({0, 2, 3, 1}).contiguous();
}

PatchConvolution first_of(const Convolution& inner, const Convolution& outer) {
  auto both = compose(inner, outer);
  return PatchConvolution(both.weight, both.bias, outer.options.stride[0], 1);
}

}  // namespace

PreparedNoise::Square::Square(const Convolution& convolution) {
  if (convolution.weight.size(0) <= widest_transformed) fast_.emplace(convolution.weight, 1);
  else plain_.emplace(convolution.weight, at::zeros({convolution.weight.size(0)}, convolution.weight.options()), 1, 1);
}

Tensor PreparedNoise::Square::operator()(const Tensor& x, const Tensor& bias, const Tensor& residual) const {
  if (fast_) {
    Epilogue epilogue{.bias = bias};
    if (residual.defined()) {
      epilogue.residual = [data = residual.const_data_ptr<float>(), size = residual[0].numel()](int64_t image) { return data + image * size; };
    }
    return (*fast_)(x, epilogue);
  }
  auto y = (*plain_)(x, x.size(1), x.size(2));
  y.add_(bias.dim() == 2 ? bias.unsqueeze(1).unsqueeze(1) : bias);
  return residual.defined() ? y.add_(residual) : y;
}

PreparedNoise::Block PreparedNoise::prepare(const ResnetBlock& block) {
  Block made{block, Square(block.conv1_), Square(block.conv2_), PackedLinear(block.temb_proj_), {}};
  if (const auto& shortcut = block.nin_shortcut_) made.shortcut.emplace(matrix(shortcut->weight), shortcut->bias);
  return made;
}

Tensor PreparedNoise::Block::operator()(const Tensor& x, const Tensor& code) const {
  auto h = conv1(activate(layers.norm1_, x), time(at::silu(code)) + layers.conv1_.bias, {});
  return conv2(activate(layers.norm2_, h), layers.conv2_.bias, shortcut ? (*shortcut)(x) : x);
}

PreparedNoise::PreparedNoise(const NoiseEncoder& encoder)
    : frequencies_(timestep_frequencies(encoder.width_, encoder.dense0_.weight.options())),
      dense0_(encoder.dense0_),
      dense1_(encoder.dense1_),
      first_(first_of(encoder.conv_in_, encoder.down1_)) {
  if (encoder.res_in_) res_in_.emplace(prepare(*encoder.res_in_));
  for (const auto& [block, shrink] : encoder.stages_) {
    stages_.push_back({prepare(block), PatchConvolution(shrink.weight, shrink.bias, shrink.options.stride[0], 0)});
  }
}

std::vector<Tensor> PreparedNoise::operator()(const Tensor& noisy, const Tensor& t) const {
  auto time = timestep_code(t, frequencies_, dense0_, dense1_);
  int64_t height = noisy.size(2) / 4, width = noisy.size(3) / 4;
  auto x = first_(noisy.contiguous().view({noisy.size(0), noisy.size(2), noisy.size(3), 1}), height, width);
  std::vector<Tensor> maps;
  if (res_in_) {
    x = (*res_in_)(x, time);
    maps.push_back(x);
  }
  for (const auto& [block, shrink] : stages_) {
    x = shrink(block(x, time), height /= 2, width /= 2);
    maps.insert(maps.begin(), x);
  }
  return maps;
}

}  // namespace diffsal
