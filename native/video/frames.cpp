#include "video/frames.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/tensor.h>

namespace diffsal {

at::Tensor normalise_frames(const at::Tensor& frames, const Config& config, at::Device device) {
  int64_t B = frames.size(0), T = frames.size(1);
  // Copied as bytes, a quarter of what float32 would take.
  auto x = frames.to(device).permute({0, 1, 4, 2, 3}).flatten(0, 1).to(at::kFloat, false, false, at::MemoryFormat::Contiguous);
  if (x.size(2) != config.height || x.size(3) != config.width) {
    x = at::_upsample_bilinear2d_aa(x, {config.height, config.width}, false);
  }
  auto channel = [&](const std::array<double, 3>& values) {
    return at::tensor(at::ArrayRef<double>(values), at::kFloat).to(device).view({1, 3, 1, 1});
  };
  x = (x * (config.pixel_scale / 255) - channel(config.mean)) / channel(config.std);
  return x.unflatten(0, {B, T}).transpose(1, 2).contiguous();
}

}  // namespace diffsal
