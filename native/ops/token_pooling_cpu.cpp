#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <vector>

#include "ops/layer_norm.h"
#include "ops/rows.h"
#include "ops/token_pooling.h"

namespace diffsal {
namespace {

// Channels from c on, as many as `count` Lanes hold, of the sum over the taps of from[tap] * weight[tap].
template <typename Lanes, int count>
DIFFSAL_INLINE void sum_taps(const float* const* from, const float* const* weight, int64_t taps, int64_t c, float* to) {
  constexpr int64_t size = sizeof(Lanes) / sizeof(float);
  Lanes totals[count] = {}, value, factor;
  for (int64_t tap = 0; tap < taps; ++tap) {
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) {
      load(value, from[tap] + c + i * size);
      load(factor, weight[tap] + c + i * size);
      totals[i] += value * factor;
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < count; ++i) store(to + c + i * size, totals[i]);
}

// A pooled token and its norm.
DIFFSAL_VECTORISED
void pooled_token(const float* const* from, const float* const* weight, int64_t taps, int64_t channels, const float* norm_weight,
                  const float* norm_bias, float* to) {
  int64_t c = 0;
  for (; c + 48 <= channels; c += 48) sum_taps<Lanes8, 6>(from, weight, taps, c, to);
  for (; c + 8 <= channels; c += 8) sum_taps<Lanes8, 1>(from, weight, taps, c, to);
  for (; c + 4 <= channels; c += 4) sum_taps<Lanes4, 1>(from, weight, taps, c, to);
  for (; c < channels; ++c) sum_taps<float, 1>(from, weight, taps, c, to);
  normalise(to, norm_weight, norm_bias, channels, to);
}

DIFFSAL_VECTORISED
void greatest_token(const float* const* from, int64_t taps, int64_t channels, float* to) {
  std::memcpy(to, from[0], static_cast<size_t>(channels) * sizeof(float));
  for (int64_t tap = 1; tap < taps; ++tap) {
    const float* x = from[tap];
    for (int64_t c = 0; c < channels; ++c) to[c] = ((x[c] <= to[c]) | (to[c] != to[c])) ? to[c] : x[c];  // a NaN stays
  }
}

// A window on a grid of tokens.
struct Window {
  Grid grid, kernel, stride, padding;

  Grid pooled() const {
    Grid to;
    for (int axis = 0; axis < 3; ++axis) to[axis] = (grid[axis] + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1;
    return to;
  }
  // Calls visit(tap, token) for the tokens under the window of the pooled place (t, h, w).
  template <typename Visit>
  void each(int64_t t, int64_t h, int64_t w, Visit visit) const {
    int64_t tap = 0;
    for (int64_t i = 0; i < kernel[0]; ++i) {
      for (int64_t j = 0; j < kernel[1]; ++j) {
        for (int64_t k = 0; k < kernel[2]; ++k, ++tap) {
          int64_t a = t * stride[0] - padding[0] + i, b = h * stride[1] - padding[1] + j, c = w * stride[2] - padding[2] + k;
          if (a < 0 || a >= grid[0] || b < 0 || b >= grid[1] || c < 0 || c >= grid[2]) continue;
          visit(tap, (a * grid[1] + b) * grid[2] + c);
        }
      }
    }
  }
};

}  // namespace

Tensor TokenPooling::cpu(const Tensor& x, Grid& grid, const LayerNorm& norm) const {
  const auto& o = conv.options;
  Window window{grid, {3, 3, 3}, {o.stride[0], o.stride[1], o.stride[2]}, {1, 1, 1}};
  grid = window.pooled();
  int64_t heads = x.size(1), channels = x.size(3), tokens = 1 + grid[0] * grid[1] * grid[2], stride = x.stride(2);
  auto y = at::empty({x.size(0), heads, tokens, channels}, x.options());
  const auto& taps = taps_.of({conv.weight}, [&] { return conv.weight.view({channels, 27}).t().contiguous(); });
  const float *source = x.const_data_ptr<float>(), *weight = taps.const_data_ptr<float>();
  const float *norm_weight = norm.weight.const_data_ptr<float>(), *norm_bias = norm.bias.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  int64_t rows = grid[0] * grid[1];
  at::parallel_for(0, x.size(0) * heads * rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      int64_t map = index / rows, t = index % rows / grid[1], h = index % grid[1];
      const float* cls = source + map / heads * x.stride(0) + map % heads * x.stride(1);
      float* to = target + map * tokens * channels;
      if (t == 0 && h == 0) normalise_row(cls, norm_weight, norm_bias, channels, to);
      for (int64_t w = 0; w < grid[2]; ++w) {
        const float *from[27], *factors[27];
        int64_t count = 0;
        window.each(t, h, w, [&](int64_t tap, int64_t token) {
          from[count] = cls + (1 + token) * stride;
          factors[count++] = weight + tap * channels;
        });
        pooled_token(from, factors, count, channels, norm_weight, norm_bias, to + (1 + (t * grid[1] + h) * grid[2] + w) * channels);
      }
    }
  });
  return y;
}

Tensor max_pool_tokens_cpu(const Tensor& x, const Grid& grid, const Grid& stride) {
  Window window{grid, {}, stride, {}};
  for (int axis = 0; axis < 3; ++axis) {
    window.kernel[axis] = window_side(stride[axis]);
    window.padding[axis] = window.kernel[axis] / 2;
  }
  auto to = window.pooled();
  int64_t channels = x.size(2), tokens = 1 + to[0] * to[1] * to[2], rows = to[0] * to[1];
  auto y = at::empty({x.size(0), tokens, channels}, x.options());
  y.select(1, 0).copy_(x.select(1, 0));
  const float* source = x.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  at::parallel_for(0, x.size(0) * rows, 1, [&](int64_t begin, int64_t end) {
    std::vector<const float*> from(static_cast<size_t>(window.kernel[0] * window.kernel[1] * window.kernel[2]));
    for (int64_t index = begin; index < end; ++index) {
      int64_t sample = index / rows, t = index % rows / to[1], h = index % to[1];
      for (int64_t w = 0; w < to[2]; ++w) {
        int64_t count = 0;
        window.each(t, h, w, [&](int64_t, int64_t token) { from[count++] = source + (sample * x.size(1) + 1 + token) * channels; });
        greatest_token(from.data(), count, channels, target + (sample * tokens + 1 + (t * to[1] + h) * to[2] + w) * channels);
      }
    }
  });
  return y;
}

}  // namespace diffsal
