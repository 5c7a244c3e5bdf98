#include "audio/excerpt.h"

#include <ATen/Parallel.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "runtime/cancellation.h"

namespace diffsal {
namespace {

// Zero crossings of the filter on each side: it is flat to 7.6 kHz and 30 dB down at 8 kHz where sound comes to 16 kHz.
constexpr double crossings = 64, pi = 3.14159265358979323846;

// A low-pass filter at `cutoff` of the input's Nyquist frequency, x input samples from its centre: a sinc under a Hann window.
double filter(double x, double cutoff) {
  x *= cutoff;
  if (std::abs(x) >= crossings) return 0;
  double window = std::cos(x * pi / (2 * crossings));
  double sinc = x == 0 ? 1 : std::sin(pi * x) / (pi * x);
  return cutoff * sinc * window * window;
}

}  // namespace

at::Tensor resample(const at::Tensor& samples, int64_t from, int64_t to) {
  if (from == to) return samples;
  // Output i lies at from / to * i, between input samples as output i % phases does: that many sets of taps are all there are.
  int64_t common = std::gcd(from, to), up = to / common, down = from / common;
  int64_t n = samples.size(0), length = (n * up + down - 1) / down, phases = std::min(up, length);
  // A little below the lower of the two Nyquist frequencies, to leave the filter room to fall.
  double cutoff = 0.98 * std::min(1.0, static_cast<double>(to) / static_cast<double>(from));
  auto reach = static_cast<int64_t>(std::ceil(crossings / cutoff)), width = 2 * reach + 1;
  std::vector<float> taps(phases * width);
  at::parallel_for(0, phases, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double past = static_cast<double>(i * down % up) / static_cast<double>(up);
      for (int64_t k = 0; k < width; ++k) taps[i * width + k] = static_cast<float>(filter(static_cast<double>(k - reach) - past, cutoff));
    }
  });
  auto input = samples.contiguous();
  auto output = at::empty({length}, at::kFloat);
  const float* in = input.const_data_ptr<float>();
  float* out = output.mutable_data_ptr<float>();
  auto fill = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t before = i * down / up - reach;
      const float* weights = &taps[i % phases * width];
      int64_t first = std::max<int64_t>(0, -before), last = std::min(width, n - before);
      double sum = 0;
      for (int64_t k = first; k < last; ++k) sum += static_cast<double>(in[before + k]) * weights[k];
      out[i] = static_cast<float>(sum);
    }
  };
  const int64_t block = 16384;
  for (int64_t begin = 0; begin < length; begin += block) {
    throw_if_cancelled();
    at::parallel_for(begin, std::min(begin + block, length), 1024, fill);
  }
  return output;
}

at::Tensor centre(const at::Tensor& samples, int64_t length) {
  int64_t n = samples.size(0);
  if (n >= length) return samples.slice(0, (n - length) / 2, (n - length) / 2 + length);
  int64_t before = (length - n) / 2;
  return at::constant_pad_nd(samples, {before, length - n - before});
}

}  // namespace diffsal
