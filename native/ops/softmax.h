#pragma once
#include <algorithm>

#include "ops/exponential.h"
#include "ops/lanes.h"

namespace diffsal {

DIFFSAL_INLINE float greatest(const float* x, int64_t count) {
  constexpr int64_t lanes = 64;
  float most[lanes], best = x[0];
  for (auto& value : most) value = best;
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (int64_t lane = 0; lane < lanes; ++lane) most[lane] = x[i + lane] > most[lane] ? x[i + lane] : most[lane];
  }
  for (auto value : most) best = std::max(best, value);
  for (; i < count; ++i) best = std::max(best, x[i]);
  return best;
}

// Turns scores into the softmax's weights, which still want to be divided by their sum, the result.
DIFFSAL_INLINE float exponentials(float* scores, int64_t count) {
  float best = greatest(scores, count);
  // In a loop of its own: a compiler calculates e^least_exponent beforehand and branches, where it sees it.
  for (int64_t i = 0; i < count; ++i) scores[i] = scores[i] - best < least_exponent ? least_exponent : scores[i] - best;
  for (int64_t i = 0; i < count; ++i) scores[i] = exponential(scores[i]);
  return sum(scores, count);
}

}  // namespace diffsal
