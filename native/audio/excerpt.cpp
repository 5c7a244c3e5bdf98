#include "audio/excerpt.h"

#include <ATen/Parallel.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "runtime/cancellation.h"

namespace diffsal {
namespace {

// A low-pass filter at `cutoff` of the input's Nyquist frequency, x input samples from its centre: a sinc under a Hann
// window of 16 zero crossings on each side.
constexpr double crossings = 16, pi = 3.14159265358979323846;

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
  int64_t n = samples.size(0), length = (n * to + from - 1) / from;
  // A little below the lower of the two Nyquist frequencies, to leave the filter room to fall.
  double cutoff = 0.97 * std::min(1.0, static_cast<double>(to) / static_cast<double>(from)), reach = crossings / cutoff;
  auto input = samples.contiguous();
  auto output = at::empty({length}, at::kFloat);
  const float* in = input.const_data_ptr<float>();
  float* out = output.mutable_data_ptr<float>();
  auto fill = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double centre = static_cast<double>(i) * static_cast<double>(from) / static_cast<double>(to), sum = 0;
      auto first = std::max<int64_t>(0, static_cast<int64_t>(std::ceil(centre - reach)));
      auto last = std::min<int64_t>(n - 1, static_cast<int64_t>(std::floor(centre + reach)));
      for (int64_t j = first; j <= last; ++j) sum += in[j] * filter(static_cast<double>(j) - centre, cutoff);
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
