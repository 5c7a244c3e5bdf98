#include "network/resnet3d.h"

#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/relu.h>

namespace diffsal {
namespace {

Convolution convolution(const Scope& scope, int64_t in, int64_t out, int64_t kernel, Sizes stride) {
  return Convolution(scope, in, out, Sizes(3, kernel), {.stride = std::move(stride), .padding = Sizes(3, kernel / 2), .bias = false});
}

}  // namespace

ResNet3D::Bottleneck::Bottleneck(const Scope& scope, int64_t in, int64_t width, int64_t stride)
    : conv1(convolution(scope / "conv1", in, width, 1, {1, 1, 1})),
      bn1(scope / "bn1", width),
      conv2(convolution(scope / "conv2", width, width, 3, Sizes(3, stride))),
      bn2(scope / "bn2", width),
      conv3(convolution(scope / "conv3", width, 4 * width, 1, {1, 1, 1})),
      bn3(scope / "bn3", 4 * width) {
  if (stride == 1 && in == 4 * width) return;
  shortcut.emplace(convolution(scope / "downsample" / 0, in, 4 * width, 1, Sizes(3, stride)));
  shortcut_norm.emplace(scope / "downsample" / 1, 4 * width);
}

Tensor ResNet3D::Bottleneck::operator()(const Tensor& x, const Pass& pass) const {
  auto y = at::relu(bn1(conv1(x), pass));
  y = bn3(conv3(at::relu(bn2(conv2(y), pass))), pass);
  return at::relu(y + (shortcut ? (*shortcut_norm)((*shortcut)(x), pass) : x));
}

ResNet3D::ResNet3D(const Scope& scope) : conv1_(convolution(scope / "conv1", 3, 64, 7, {1, 2, 2})), bn1_(scope / "bn1", 64) {
  const struct {
    int64_t blocks, width;
  } layers[] = {{3, 64}, {4, 128}, {6, 256}, {3, 512}};
  int64_t in = 64, number = 0;
  for (auto [blocks, width] : layers) {
    auto layer = scope / ("layer" + std::to_string(++number));
    auto& list = layers_.emplace_back();
    for (int64_t j = 0; j < blocks; ++j) {
      list.emplace_back(layer / j, in, width, j == 0 && number > 1 ? 2 : 1);
      in = 4 * width;
    }
  }
}

std::vector<Tensor> ResNet3D::operator()(const Tensor& frames, const Pass& pass) const {
  auto x = at::max_pool3d(at::relu(bn1_(conv1_(frames), pass)), {3, 3, 3}, {2, 2, 2}, {1, 1, 1});
  std::vector<Tensor> maps;
  for (const auto& layer : layers_) {
    for (const auto& block : layer) {
      stop_point(x);
      x = block(x, pass);
    }
    maps.push_back(x);
  }
  return maps;
}

}  // namespace diffsal
