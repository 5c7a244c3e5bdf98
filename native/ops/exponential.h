#pragma once
#include <cstdint>

#include "ops/lanes.h"

namespace diffsal {

// The least that exponential() takes.
constexpr float least_exponent = -86;

// e^x for least_exponent <= x <= 0, within 2e-7 of it, and NaN for NaN. Written so that a loop of it is vectorised.
DIFFSAL_INLINE float exponential(float x) {
  // x = n ln 2 + r; adding 1.5 * 2^23 rounds, and leaves n in the lowest bits.
  float shifted = x * 1.44269504f + 12582912.0f, n = shifted - 12582912.0f, r = x - n * 0.693359375f + n * 2.12194440e-4f;
  float p = r * 1.3888889e-3f + 8.3333333e-3f;
  p = p * r + 4.1666667e-2f;
  p = p * r + 1.6666667e-1f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  uint32_t bits, exponent;
  std::memcpy(&bits, &p, sizeof(p));
  std::memcpy(&exponent, &shifted, sizeof(p));
  bits += exponent << 23;
  std::memcpy(&p, &bits, sizeof(p));
  // Of what is no number the addition may have made one.
  return x == x ? p : x;
}

}  // namespace diffsal
