#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include "ops/modulation.h"
#include "ops/rows.h"
#include "ops/vectorised.h"

namespace diffsal {
namespace {

DIFFSAL_VECTORISED
void scale_row(float* x, const float* factors, int64_t channels) {
  for (int64_t i = 0; i < channels; ++i) x[i] *= factors[i];
}

DIFFSAL_VECTORISED
void multiply_rows(const float* a, const float* b, int64_t channels, float* to) {
  for (int64_t i = 0; i < channels; ++i) to[i] = a[i] * b[i];
}

}  // namespace

at::Tensor agreement_cpu(const at::Tensor& x, const at::Tensor& sound) {
  int64_t t = x.size(1), h = x.size(2), w = x.size(3), channels = x.size(4), repeat = w / sound.size(3);
  auto mean = at::zeros({x.size(0), h, w, channels}, x.options());
  const float *source = x.const_data_ptr<float>(), *heard = sound.const_data_ptr<float>();
  float* target = mean.data_ptr<float>();
  at::parallel_for(0, x.size(0) * h, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      int64_t sample = row / h, y = row % h;
      for (int64_t slot = 0; slot < t; ++slot) {
        const float* from = source + ((sample * t + slot) * h + y) * w * channels;
        const float* with = heard + ((sample * t + slot) * sound.size(2) + y / repeat) * sound.size(3) * channels;
        for (int64_t u = 0; u < w; ++u) add_product(from + u * channels, with + u / repeat * channels, channels, target + (row * w + u) * channels);
      }
    }
  });
  return at::softmax(mean.div_(static_cast<double>(t)), 2);
}

at::Tensor join_sound_cpu(const at::Tensor& x, const at::Tensor& sound, Join join) {
  auto y = x.clone(at::MemoryFormat::Contiguous);
  int64_t t = x.size(1), h = x.size(2), w = x.size(3), channels = x.size(4), repeat = w / sound.size(3);
  const float* heard = sound.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  at::parallel_for(0, x.size(0) * t * h, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* with = heard + (row / h * sound.size(2) + row % h / repeat) * sound.size(3) * channels;
      for (int64_t u = 0; u < w; ++u) {
        float* place = target + (row * w + u) * channels;
        const float* other = with + u / repeat * channels;
        if (join == Join::add) add_row(place, other, channels);
        else scale_row(place, other, channels);
      }
    }
  });
  return y;
}

at::Tensor modulate_cpu(const at::Tensor& sound, const at::Tensor& factor) {
  int64_t t = sound.size(1), h = factor.size(1), w = factor.size(2), channels = factor.size(3), repeat = w / sound.size(3);
  auto y = at::empty({sound.size(0), t, h, w, channels}, sound.options());
  const float *heard = sound.const_data_ptr<float>(), *factors = factor.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  at::parallel_for(0, sound.size(0) * t * h, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      int64_t sample = row / (t * h), v = row % h;
      const float* with = heard + (row / h * sound.size(2) + v / repeat) * sound.size(3) * channels;
      for (int64_t u = 0; u < w; ++u) {
        multiply_rows(factors + ((sample * h + v) * w + u) * channels, with + u / repeat * channels, channels, target + (row * w + u) * channels);
      }
    }
  });
  return y;
}

}  // namespace diffsal
