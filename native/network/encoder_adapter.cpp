#include "network/encoder_adapter.h"

#include <ATen/ops/upsample_trilinear3d.h>

#include <algorithm>

namespace diffsal {

EncoderAdapter::EncoderAdapter(const Scope& scope, std::unique_ptr<VideoBackbone> backbone, const std::vector<int64_t>& channels)
    : backbone_(std::move(backbone)) {
  auto widths = backbone_->widths();
  for (size_t i = 0; i < channels.size(); ++i) {
    adapt_.emplace_back(scope / "adapt" / static_cast<int64_t>(i), widths[widths.size() - 1 - i], channels[i], Sizes{1, 1, 1},
                        ConvolutionOptions{.stride = {1, 1}, .padding = {0, 0}, .dilation = {1, 1}});
  }
}

std::vector<Tensor> EncoderAdapter::operator()(const Tensor& frames, const Pass& pass) const {
  auto maps = (*backbone_)(frames, pass);
  int64_t slots = std::max<int64_t>(1, frames.size(2) / 2);
  std::vector<Tensor> adapted;
  for (size_t i = 0; i < adapt_.size(); ++i) {
    auto x = maps[maps.size() - 1 - i].permute({0, 2, 3, 4, 1});
    auto y = convolve(x.contiguous().flatten(0, 1), adapt_[i]).unflatten(0, {x.size(0), x.size(1)}).permute({0, 4, 1, 2, 3});
    if (y.size(2) != slots) y = at::upsample_trilinear3d(y, {slots, y.size(3), y.size(4)}, false);
    adapted.push_back(y);
  }
  return adapted;
}

}  // namespace diffsal
