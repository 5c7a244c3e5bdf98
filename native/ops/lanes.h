#pragma once
#include <cstdint>
#include <cstring>

#include "ops/vectorised.h"

namespace diffsal {

// Sixteen, eight or four float32 that are calculated with together, whatever the processor's registers hold. A function that uses them is
// DIFFSAL_VECTORISED, or for one processor alone, and what it calls is always inlined, so that all of it is compiled for the processor. Of sixteen,
// a compiler for AVX2 goes through memory: they are for functions that are for AVX-512 alone.
using Lanes16 = float __attribute__((vector_size(64)));
using Lanes4 = float __attribute__((vector_size(16)));

#define DIFFSAL_INLINE inline __attribute__((always_inline))

#if defined(__x86_64__)
using Lanes8 = float __attribute__((vector_size(32)));
#else
// Two registers of NEON, spelt out: of a vector that is wider than a register, GCC makes memory.
struct Lanes8 {
  Lanes4 low, high;

  float operator[](int64_t lane) const { return lane < 4 ? low[lane] : high[lane - 4]; }
};
DIFFSAL_INLINE Lanes8 operator+(const Lanes8& a, const Lanes8& b) { return {a.low + b.low, a.high + b.high}; }
DIFFSAL_INLINE Lanes8 operator*(const Lanes8& a, const Lanes8& b) { return {a.low * b.low, a.high * b.high}; }
DIFFSAL_INLINE Lanes8 operator*(const Lanes8& a, float b) { return {a.low * b, a.high * b}; }
DIFFSAL_INLINE Lanes8 operator-(const Lanes8& a, float b) { return {a.low - b, a.high - b}; }
DIFFSAL_INLINE Lanes8& operator+=(Lanes8& a, const Lanes8& b) { return a = a + b; }
#endif

template <typename Lanes>
DIFFSAL_INLINE void load(Lanes& to, const float* from) {
  std::memcpy(&to, from, sizeof(Lanes));
}
template <typename Lanes>
DIFFSAL_INLINE void store(float* to, const Lanes& from) {
  std::memcpy(to, &from, sizeof(Lanes));
}

// The sum of `count` values.
DIFFSAL_INLINE float sum(const float* x, int64_t count) {
  Lanes8 total = {}, next;
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    load(next, x + i);
    total += next;
  }
  float result = 0;
  for (int64_t lane = 0; lane < 8; ++lane) result += total[lane];
  for (; i < count; ++i) result += x[i];
  return result;
}

}  // namespace diffsal
