#include "inference/lean_head.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>

#include "inference/folding.h"
#include "inference/interpolation.h"

namespace diffsal {

LeanHead::LeanHead(const Tensor& weight, const Tensor& bias, const Convolution& last, const std::vector<std::array<int64_t, 2>>& sizes, at::ScalarType type)
    // A place's products are in the order (tap across, tap down, out).
    : taps_(weight.permute({3, 2, 0, 1}).reshape({-1, weight.size(1)}).to(type)), bias_(bias.to(type)), last_(matrix(last.weight), last.bias) {
  std::vector<Tensor> rows;
  for (auto [height, width] : sizes) {
    int64_t factor = 16 * sizes[0][0] / height;
    columns_.push_back(tap_interpolation(width, factor).to(taps_.options()));
    rows.push_back(tap_interpolation(height, factor));
  }
  rows_ = at::cat(rows, 1).to(taps_.options());
}

Tensor LeanHead::operator()(const std::vector<Tensor>& maps) const {
  int64_t samples = maps[0].size(0), channels = bias_.size(0), width = columns_[0].size(0);
  // Of all stages: (B, their rows, taps down, width, out).
  auto lines = at::empty({samples, rows_.size(1) / 3, 3, width, channels}, maps[0].options());
  int64_t first = 0;
  for (size_t i = 0; i < maps.size(); ++i) {
    int64_t height = maps[i].size(1);
    auto products = at::linear(maps[i], taps_).view({samples * height, maps[i].size(2) * 3, 3 * channels});
    auto wider = at::bmm(columns_[i].expand({samples * height, -1, -1}), products).view({samples, height, width, 3, channels});
    lines.narrow(1, first, height).copy_(wider.transpose(2, 3));
    first += height;
  }
  auto sum = at::bmm(rows_.expand({samples, -1, -1}), lines.view({samples, rows_.size(1), width * channels}));
  auto y = at::relu_(sum.view({samples, rows_.size(0), width, channels}).add_(bias_));
  return at::sigmoid(last_(y.to(at::kFloat))).permute({0, 3, 1, 2});
}

}  // namespace diffsal
