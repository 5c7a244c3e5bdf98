#include "video/frames.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include "runtime/cancellation.h"

namespace diffsal {

at::Tensor normalise_frames(const at::Tensor& frames, const Config& config, at::Device device) {
  int64_t B = frames.size(0), T = frames.size(1);
  auto channel = [&](const std::array<double, 3>& values) {
    return at::tensor(at::ArrayRef<double>(values), at::kFloat).to(device).view({3, 1, 1});
  };
  auto mean = channel(config.mean), deviation = channel(config.std);
  auto result = at::empty({B, 3, T, config.height, config.width}, frames.options().device(device).dtype(at::kFloat));
  // Frame by frame: a clip of large pictures in float32 takes gigabytes.
  for (int64_t b = 0; b < B; ++b) {
    for (int64_t t = 0; t < T; ++t) {
      throw_if_cancelled();
      // Copied as bytes, a quarter of what float32 would take.
      auto x = frames[b][t].to(device).permute({2, 0, 1}).to(at::kFloat, false, false, at::MemoryFormat::Contiguous);
      if (x.size(1) != config.height || x.size(2) != config.width) {
        x = at::_upsample_bilinear2d_aa(x.unsqueeze(0), {config.height, config.width}, false)[0];
      }
      result.select(0, b).select(1, t).copy_((x * (config.pixel_scale / 255) - mean) / deviation);
    }
  }
  return result;
}

}  // namespace diffsal
