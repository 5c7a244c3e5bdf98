#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "ops/compression.h"
#include "ops/rows.h"
#include "ops/vectorised.h"

namespace diffsal {
namespace {

constexpr int64_t block = 32;

// to = sum over the taps of from[tap] * weight[tap], a block of channels at a time so that the sums stay in registers.
DIFFSAL_VECTORISED
void sum_place(const float* const* from, const float* const* weight, int64_t taps, int64_t channels, float* to) {
  int64_t c = 0;
  for (; c + block <= channels; c += block) {
    float sums[block] = {};
    for (int64_t k = 0; k < taps; ++k) {
      const float *a = from[k] + c, *b = weight[k] + c;
      for (int64_t i = 0; i < block; ++i) sums[i] += a[i] * b[i];
    }
    for (int64_t i = 0; i < block; ++i) to[c + i] = sums[i];
  }
  for (; c < channels; ++c) {
    float sum = 0;
    for (int64_t k = 0; k < taps; ++k) sum += from[k][c] * weight[k][c];
    to[c] = sum;
  }
}

// The sums of two places side by side over `lines` lines of three taps, which share what they read. from: each line's place to the left of
// the first; weight: each line's three taps, one after the other.
DIFFSAL_VECTORISED
void sum_pair(const float* const* from, const float* const* weight, int64_t lines, int64_t channels, float* first, float* second) {
  int64_t c = 0;
  for (; c + block <= channels; c += block) {
    float left[block] = {}, right[block] = {};
    for (int64_t k = 0; k < lines; ++k) {
      const float *a = from[k] + c, *b = weight[k] + c;
      for (int64_t i = 0; i < block; ++i) {
        left[i] += a[i] * b[i] + a[channels + i] * b[channels + i] + a[2 * channels + i] * b[2 * channels + i];
        right[i] += a[channels + i] * b[i] + a[2 * channels + i] * b[channels + i] + a[3 * channels + i] * b[2 * channels + i];
      }
    }
    for (int64_t i = 0; i < block; ++i) {
      first[c + i] = left[i];
      second[c + i] = right[i];
    }
  }
  for (; c < channels; ++c) {
    float left = 0, right = 0;
    for (int64_t k = 0; k < lines; ++k) {
      for (int64_t tap = 0; tap < 3; ++tap) {
        left += from[k][tap * channels + c] * weight[k][tap * channels + c];
        right += from[k][(tap + 1) * channels + c] * weight[k][tap * channels + c];
      }
    }
    first[c] = left;
    second[c] = right;
  }
}

}  // namespace

void DepthwiseNorm::row(const at::Tensor& x, int64_t sample, int64_t row, float* to) const {
  int64_t t = x.size(1), h = x.size(2), w = x.size(3), channels = x.size(4);
  int64_t slot = row / h, y = row % h;
  const float *source = x.const_data_ptr<float>() + sample * t * h * w * channels, *taps = weight.const_data_ptr<float>();
  const float *scale = norm_weight.const_data_ptr<float>(), *shift = norm_bias.const_data_ptr<float>();
  const float *line[9], *weights[9];  // those inside the map
  int64_t lines = 0;
  for (int64_t i = 0; i < 9; ++i) {
    int64_t s = slot + i / 3 - 1, v = y + i % 3 - 1;
    if (s < 0 || s >= t || v < 0 || v >= h) continue;
    line[lines] = source + (s * h + v) * w * channels;
    weights[lines++] = taps + 3 * i * channels;
  }
  for (int64_t column = 0; column < w;) {
    float* place = to + column * channels;
    if (column > 0 && column + 2 < w) {
      const float* from[9];
      for (int64_t i = 0; i < lines; ++i) from[i] = line[i] + (column - 1) * channels;
      sum_pair(from, weights, lines, channels, place, place + channels);
      column += 2;
      continue;
    }
    const float *from[27], *factor[27];
    int64_t count = 0;
    for (int64_t i = 0; i < lines; ++i) {
      for (int64_t tap = 0; tap < 3; ++tap) {
        int64_t u = column + tap - 1;
        if (u < 0 || u >= w) continue;
        from[count] = line[i] + u * channels;
        factor[count++] = weights[i] + tap * channels;
      }
    }
    sum_place(from, factor, count, channels, place);
    ++column;
  }
  normalise_rows(to, scale, shift, channels, w, to);
}

at::Tensor PatchNorm::operator()(const at::Tensor& x) const {
  int64_t t = x.size(1), h = x.size(2), w = x.size(3), channels = x.size(4), down = h / kernel, across = w / kernel;
  auto y = at::empty({x.size(0), t * down * across, channels}, x.options());
  const float *source = x.const_data_ptr<float>(), *taps = weight.const_data_ptr<float>();
  const float *scale = norm_weight.const_data_ptr<float>(), *shift = norm_bias.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  at::parallel_for(0, x.size(0) * t * down, 1, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const float* band = source + (index / down * h + index % down * kernel) * w * channels;
      for (int64_t column = 0; column < across; ++column) {
        float* place = target + (index * across + column) * channels;
        std::fill_n(place, channels, 0.0f);
        for (int64_t tap = 0; tap < kernel * kernel; ++tap) {
          add_product(band + (tap / kernel * w + column * kernel + tap % kernel) * channels, taps + tap * channels, channels, place);
        }
        normalise_row(place, scale, shift, channels, place);
      }
    }
  });
  return y;
}

at::Tensor PatchNorm::modulated(const at::Tensor& coarse, const at::Tensor& factor) const {
  int64_t samples = coarse.size(0), t = coarse.size(1), ch = coarse.size(2), cw = coarse.size(3), channels = coarse.size(4);
  int64_t w = factor.size(2), repeat = w / cw, cells = kernel / repeat, down = factor.size(1) / kernel, across = w / kernel;
  // The weighted sum of each coarse place's factors is alike for all slots.
  auto sums = at::zeros({samples, down * cells, across * cells, channels}, coarse.options());
  auto y = at::zeros({samples, t * down * across, channels}, coarse.options());
  const float *factors = factor.const_data_ptr<float>(), *taps = weight.const_data_ptr<float>(), *source = coarse.const_data_ptr<float>();
  const float *scale = norm_weight.const_data_ptr<float>(), *shift = norm_bias.const_data_ptr<float>();
  float *gathered = sums.data_ptr<float>(), *target = y.data_ptr<float>();
  at::parallel_for(0, samples * down * cells, 1, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      int64_t sample = index / (down * cells), cell = index % (down * cells);
      for (int64_t i = 0; i < repeat; ++i) {
        int64_t v = cell * repeat + i;
        for (int64_t u = 0; u < across * kernel; ++u) {
          add_product(factors + ((sample * factor.size(1) + v) * w + u) * channels, taps + (v % kernel * kernel + u % kernel) * channels, channels,
                      gathered + (index * across * cells + u / repeat) * channels);
        }
      }
    }
  });
  at::parallel_for(0, samples * t * down, 1, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      int64_t sample = index / (t * down), slot = index / down % t, band = index % down;
      for (int64_t column = 0; column < across; ++column) {
        float* place = target + (index * across + column) * channels;
        for (int64_t v = band * cells; v < (band + 1) * cells; ++v) {
          for (int64_t u = column * cells; u < (column + 1) * cells; ++u) {
            add_product(source + (((sample * t + slot) * ch + v) * cw + u) * channels,
                        gathered + ((sample * down * cells + v) * across * cells + u) * channels, channels, place);
          }
        }
        normalise_row(place, scale, shift, channels, place);
      }
    }
  });
  return y;
}

Tensor around_cpu(const Tensor& x, const DepthwiseNorm& depthwise) {
  auto y = at::empty(x.sizes(), x.options());
  int64_t rows = x.size(1) * x.size(2), length = x.size(3) * x.size(4);
  float* target = y.data_ptr<float>();
  at::parallel_for(0, x.size(0) * rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) depthwise.row(x, row / rows, row % rows, target + row * length);
  });
  return y;
}

}  // namespace diffsal
