#include "ops/rows.h"

#include "ops/layer_norm.h"
#include "ops/softmax.h"

namespace diffsal {

DIFFSAL_VECTORISED
void normalise_row(const float* from, const float* weight, const float* bias, int64_t channels, float* to) {
  normalise(from, weight, bias, channels, to);
}

DIFFSAL_VECTORISED
void normalise_rows(const float* from, const float* weight, const float* bias, int64_t channels, int64_t count, float* to) {
  for (int64_t i = 0; i < count; ++i) normalise(from + i * channels, weight, bias, channels, to + i * channels);
}

DIFFSAL_VECTORISED
void weigh_six(const float* const from[6], const float factors[6], int64_t channels, bool add, float* to) {
  const float *a = from[0], *b = from[1], *c = from[2], *d = from[3], *e = from[4], *f = from[5];
  float u = factors[0], v = factors[1], w = factors[2], x = factors[3], y = factors[4], z = factors[5];
  if (add) {
    for (int64_t i = 0; i < channels; ++i) to[i] += u * a[i] + v * b[i] + w * c[i] + x * d[i] + y * e[i] + z * f[i];
  } else {
    for (int64_t i = 0; i < channels; ++i) to[i] = u * a[i] + v * b[i] + w * c[i] + x * d[i] + y * e[i] + z * f[i];
  }
}

DIFFSAL_VECTORISED
void add_product(const float* a, const float* b, int64_t channels, float* to) {
  for (int64_t i = 0; i < channels; ++i) to[i] += a[i] * b[i];
}

DIFFSAL_VECTORISED
void add_relu(float* x, const float* bias, int64_t channels) {
  for (int64_t i = 0; i < channels; ++i) x[i] = x[i] + bias[i] < 0 ? 0 : x[i] + bias[i];
}

DIFFSAL_VECTORISED
void add_row(float* x, const float* bias, int64_t channels) {
  for (int64_t i = 0; i < channels; ++i) x[i] += bias[i];
}

DIFFSAL_VECTORISED
void softmax(float* x, int64_t count) {
  float factor = 1 / exponentials(x, count);
  for (int64_t i = 0; i < count; ++i) x[i] *= factor;
}

// erf(z) = 1 - (a1 u + ... + a5 u^5) e^(-z^2), u = 1 / (1 + p z), within 1.5e-7 for z >= 0 (Abramowitz and Stegun 7.1.26).
DIFFSAL_VECTORISED
void gelu(float* x, int64_t count) {
  constexpr int64_t part = 64;
  float powers[part];
  for (int64_t first = 0; first < count; first += part) {
    int64_t length = count - first < part ? count - first : part;
    float* from = x + first;
    // In a loop of its own: a compiler calculates e^least_exponent beforehand and branches, where it sees it.
    for (int64_t i = 0; i < length; ++i) powers[i] = from[i] * from[i] * -0.5f < least_exponent ? least_exponent : from[i] * from[i] * -0.5f;
    for (int64_t i = 0; i < length; ++i) powers[i] = exponential(powers[i]);
    for (int64_t i = 0; i < length; ++i) {
      float value = from[i], z = (value < 0 ? -value : value) * 0.70710678f, u = 1 / (1 + 0.3275911f * z);
      float tail = ((((1.061405429f * u - 1.453152027f) * u + 1.421413741f) * u - 0.284496736f) * u + 0.254829592f) * u * powers[i];
      from[i] = value * (value < 0 ? 0.5f * tail : 1 - 0.5f * tail);
    }
  }
}

DIFFSAL_VECTORISED
float dot(const float* a, const float* b, int64_t channels) {
  // A compiler may not reorder a sum, so the lanes that it can add side by side are spelt out.
  constexpr int64_t lanes = 16;
  float sums[lanes] = {}, sum = 0;
  int64_t whole = channels / lanes * lanes;
  for (int64_t c = 0; c < whole; c += lanes) {
    for (int64_t i = 0; i < lanes; ++i) sums[i] += a[c + i] * b[c + i];
  }
  for (int64_t c = whole; c < channels; ++c) sum += a[c] * b[c];
  for (float part : sums) sum += part;
  return sum;
}

}  // namespace diffsal
