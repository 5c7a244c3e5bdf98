#pragma once
#include <cmath>

#include "ops/lanes.h"

namespace diffsal {

// Layer norm of one row of channels, epsilon 1e-5; `to` may be `from`.
DIFFSAL_INLINE void normalise(const float* from, const float* weight, const float* bias, int64_t channels, float* to) {
  float mean = sum(from, channels) / static_cast<float>(channels), squares = 0;
  Lanes8 total = {}, value, factor, shift;
  int64_t c = 0;
  for (; c + 8 <= channels; c += 8) {
    load(value, from + c);
    total += (value - mean) * (value - mean);
  }
  for (int64_t lane = 0; lane < 8; ++lane) squares += total[lane];
  for (; c < channels; ++c) squares += (from[c] - mean) * (from[c] - mean);
  // Where the squares overflow, 0 * squares is no number: the result is not to look like one.
  float scale = 1 / std::sqrt(squares / static_cast<float>(channels) + 1e-5f) + 0 * squares;
  for (c = 0; c + 8 <= channels; c += 8) {
    load(value, from + c);
    load(factor, weight + c);
    load(shift, bias + c);
    store<Lanes8>(to + c, (value - mean) * scale * factor + shift);
  }
  for (; c < channels; ++c) to[c] = (from[c] - mean) * scale * weight[c] + bias[c];
}

}  // namespace diffsal
