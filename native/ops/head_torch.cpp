#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>

#include "ops/head.h"
#include "ops/interpolation.h"
#include "ops/side.h"

namespace diffsal {

// The convolution over the slots is one of two dimensions, slots and places. The taps' products are in the order (tap across, tap down, out):
// (B, h, w, 9 out).
Tensor Head::part_torch(const Tensor& normed, const Convolution& reduce, const Convolution& convolution) const {
  int64_t h = normed.size(1), w = normed.size(2), stride = reduce.options.stride[0];
  auto type = normed.scalar_type();
  auto maps = normed.permute({0, 4, 3, 1, 2}).flatten(3);  // (B, C, slots, places)
  auto y = at::relu(at::conv2d(maps, reduce.in(type).weight.squeeze(4), {}, {stride, 1}));
  auto fold = y.mean({2}).permute({0, 2, 1});  // (B, places, width)
  auto weight = convolution.in(type).weight;
  return at::linear(fold, weight.permute({3, 2, 0, 1}).reshape({-1, weight.size(1)})).unflatten(1, {h, w});
}

Tensor Head::sum_torch(const std::vector<Tensor>& parts, const Pass& pass) const {
  const auto& conv = convolution(pass);
  auto type = parts[0].scalar_type();
  int64_t samples = parts[0].size(0), channels = conv.weight.size(0);
  Sizing sizing{{}, type};
  for (const auto& part : parts) sizing.sizes.push_back({part.size(1), part.size(2)});
  const auto& [columns, rows] = upsampling_.of(sizing, [&] {
    Upsampling made;
    std::vector<Tensor> down;
    for (auto [height, width] : sizing.sizes) {
      int64_t factor = 16 * sizing.sizes[0][0] / height;
      made.columns.push_back(tap_interpolation(width, factor).to(parts[0].options()));
      down.push_back(tap_interpolation(height, factor));
    }
    made.rows = at::cat(down, 1).to(parts[0].options());
    return made;
  });
  int64_t width = columns[0].size(0);
  std::vector<Tensor> lines;  // of each stage (B, h, taps down, width, out)
  for (size_t i = 0; i < parts.size(); ++i) {
    int64_t height = parts[i].size(1);
    auto products = parts[i].reshape({samples * height, parts[i].size(2) * 3, 3 * channels});
    auto wider = at::bmm(columns[i].expand({samples * height, -1, -1}), products).view({samples, height, width, 3, channels});
    lines.push_back(wider.transpose(2, 3));
  }
  auto all = at::cat(lines, 1).contiguous().view({samples, rows.size(1), width * channels});
  auto sum = at::bmm(rows.expand({samples, -1, -1}), all).view({samples, rows.size(0), width, channels});
  bool own = !at::GradMode::is_enabled();
  if (auto bias = conv.in(type).bias; bias.defined()) sum = own ? sum.add_(bias) : sum + bias;
  auto y = pass.training ? norm_maps(sum, layer_.norm, pass, true) : own ? at::relu_(sum) : at::relu(sum);
  return at::sigmoid(logits_(y.to(at::kFloat))).permute({0, 3, 1, 2});
}

}  // namespace diffsal
