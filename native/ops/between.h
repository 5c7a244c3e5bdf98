#pragma once
#include <algorithm>
#include <cstdint>

namespace diffsal {

// Where a place of an axis that bilinear upsampling makes `factor` times as long lies between two of the short one's `size`, and how much each
// of these counts. Pixel centres are at half-integers; beyond the first and the last they are repeated.
struct Between {
  int64_t first, second;
  float to_first, to_second;
};

inline Between between(int64_t place, int64_t factor, int64_t size) {
  float source = std::max((static_cast<float>(place) + 0.5f) / static_cast<float>(factor) - 0.5f, 0.0f);
  auto first = static_cast<int64_t>(source);
  float rest = source - static_cast<float>(first);
  return {first, std::min(first + 1, size - 1), 1 - rest, rest};
}

}  // namespace diffsal
