#include "inference/lean_depthwise.h"

#include <ATen/ops/conv3d.h>
#include <ATen/ops/sum.h>

#include "inference/cast_source.h"

namespace diffsal {

// oneDNN's depthwise kernel takes channels-last maps. CUDA's own takes the channels outermost, and for maps that are not so libtorch asks
// cuDNN, which is slow at depthwise convolutions in three dimensions.
LeanDepthwise::LeanDepthwise(const Tensor& weight, const Grid& stride)
    : weight_(weight.is_cuda() ? weight.contiguous() : channels_last(weight)), stride_(stride) {}

Tensor LeanDepthwise::operator()(const Tensor& x) const {
  auto map = x.permute({0, 4, 1, 2, 3});
  if (map.is_cuda()) map = map.contiguous();
  return at::conv3d(map, weight_, {}, stride_, {1, 1, 1}, {1, 1, 1}, x.size(4)).permute({0, 2, 3, 4, 1});
}

LeanPatches::LeanPatches(const Tensor& weight, at::ScalarType type)
    : weight_(weight.flatten(1, 2).permute({2, 1, 3, 0}).contiguous()), cast_(weight_.to(type)), kernel_(weight.size(4)) {}

Tensor LeanPatches::operator()(const Tensor& x) const {
  int64_t down = x.size(2) / kernel_, across = x.size(3) / kernel_;
  auto patches = x.narrow(2, 0, down * kernel_).narrow(3, 0, across * kernel_).unflatten(3, {across, kernel_}).unflatten(2, {down, kernel_});
  return (patches * cast_).sum(3).sum(4, false, at::kFloat);
}

Tensor LeanPatches::modulated(const Tensor& coarse, const Tensor& factor) const {
  int64_t repeat = factor.size(2) / coarse.size(3), cells = kernel_ / repeat, down = factor.size(1) / kernel_, across = factor.size(2) / kernel_;
  auto within = [&](const Tensor& x, int64_t rows, int64_t side) {  // (…, rows, columns, C) -> (…, down, side, across, side, C)
    return x.narrow(rows, 0, down * side).narrow(rows + 1, 0, across * side).unflatten(rows + 1, {across, side}).unflatten(rows, {down, side});
  };
  auto weighted = within(factor, 1, kernel_) * weight_;  // (B, down, kernel, across, kernel, C)
  auto gathered = weighted.unflatten(4, {cells, repeat}).unflatten(2, {cells, repeat}).sum(3).sum(5);
  return (within(coarse, 2, cells) * gathered.unsqueeze(1)).sum(3).sum(4);
}

}  // namespace diffsal
