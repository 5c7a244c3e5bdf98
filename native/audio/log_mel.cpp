#include "audio/log_mel.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/hann_window.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/minimum.h>

#include <cmath>
#include <vector>

#include "network/layers.h"
#include "runtime/cancellation.h"

namespace diffsal {
namespace {

constexpr double window_seconds = 0.025, hop_seconds = 0.010, low_hertz = 125, high_hertz = 7500, offset = 0.01;
constexpr int64_t bands = 64, slice_frames = 64, slice_hop = 11;

int64_t window_size(int64_t rate) { return std::llround(static_cast<double>(rate) * window_seconds); }
int64_t hop_size(int64_t rate) { return std::llround(static_cast<double>(rate) * hop_seconds); }
double hertz_to_mel(double f) { return 1127.0 * std::log(1 + f / 700); }

// Triangles of equal width on the mel axis: (fft / 2 + 1, bands). The DC bin belongs to none.
at::Tensor mel_weights(int64_t rate, int64_t fft) {
  auto f = (at::linspace(0, static_cast<double>(rate) / 2, fft / 2 + 1, at::kDouble) / 700 + 1).log() * 1127.0;
  auto edge = at::linspace(hertz_to_mel(low_hertz), hertz_to_mel(high_hertz), bands + 2, at::kDouble);
  auto lower = edge.slice(0, 0, bands), centre = edge.slice(0, 1, bands + 1), upper = edge.slice(0, 2);
  auto x = f.unsqueeze(1);
  auto weights = at::minimum((x - lower) / (centre - lower), (upper - x) / (upper - centre)).clamp_min(0);
  weights[0].zero_();
  return weights;
}

}  // namespace

at::Tensor log_mel(const at::Tensor& samples, int64_t rate) {
  int64_t window = window_size(rate), fft = 1;
  while (fft < window) fft *= 2;
  auto frames = samples.unfold(0, window, hop_size(rate));
  auto hann = at::hann_window(window, true, at::kDouble), weights = mel_weights(rate, fft);
  // Half a minute at a time, which bounds the memory that the frames take in float64.
  std::vector<at::Tensor> parts;
  for (const auto& part : frames.split(3000)) {
    throw_if_cancelled();
    auto magnitude = at::fft_rfft(part.to(at::kDouble) * hann, fft).abs();
    parts.push_back((at::matmul(magnitude, weights) + offset).log());
  }
  return at::cat(parts);
}

at::Tensor mel_slices(const at::Tensor& samples, int64_t height, int64_t width, int64_t slots, int64_t rate) {
  auto x = log_mel(samples, rate).unfold(0, slice_frames, slice_hop).transpose(1, 2).to(at::kFloat);  // (n, frames, bands)
  int64_t n = x.size(0);
  if (n != slots) {
    int64_t times = slots / n;
    auto rest = x.slice(0, 0, slots % n);
    x = (times > 0 ? at::cat({x.repeat_interleave(times, 0), rest}, 0) : rest).slice(0, 0, slots);
  }
  return resize_bilinear(x.unsqueeze(0), height, width);
}

}  // namespace diffsal
