#include "video/frames.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "runtime/cancellation.h"

namespace diffsal {
namespace {

// Of the pictures in float32 that are worked on at a time; a clip of large ones takes gigabytes. On the CPU they are to stay near it, on a
// device a launch is to have much to do.
constexpr int64_t most_bytes(bool cpu) { return int64_t{1} << (cpu ? 23 : 28); }

at::Tensor resized(const at::Tensor& x, const Config& config) {
  if (x.size(2) == config.height && x.size(3) == config.width) return x;
  return at::_upsample_bilinear2d_aa(x, {config.height, config.width}, false);
}

}  // namespace

at::Tensor normalise_frames(const at::Tensor& frames, const Config& config) {
  int64_t B = frames.size(0), T = frames.size(1), h = frames.size(2), w = frames.size(3);
  auto options = frames.options().dtype(at::kFloat);
  auto result = at::empty({B, 3, T, config.height, config.width}, options);
  // Filled where they are: to copy constants to a device would be to wait for it.
  auto factor = at::empty({3, 1, 1}, options), shift = at::empty({3, 1, 1}, options);
  for (int64_t c = 0; c < 3; ++c) {
    auto i = static_cast<size_t>(c);
    factor[c].fill_(config.pixel_scale / 255 / config.std[i]);
    shift[c].fill_(-config.mean[i] / config.std[i]);
  }
  int64_t most = std::max<int64_t>(most_bytes(frames.is_cpu()) / (3 * h * w * static_cast<int64_t>(sizeof(float))), 1);
  int64_t clips = std::clamp<int64_t>(most / T, 1, B), length = std::min(most, T);
  for (int64_t b = 0; b < B; b += clips) {
    for (int64_t t = 0; t < T; t += length) {
      throw_if_cancelled();
      auto part = frames.slice(0, b, b + clips).slice(1, t, t + length);
      auto x = part.permute({0, 1, 4, 2, 3}).to(at::kFloat, false, false, at::MemoryFormat::Contiguous);
      x = resized(x.flatten(0, 1), config).unflatten(0, {part.size(0), part.size(1)});
      auto place = result.slice(0, b, b + clips).slice(2, t, t + length).transpose(1, 2);
      at::addcmul_out(place, shift, x, factor);
    }
  }
  return result;
}

}  // namespace diffsal
