#include "inference/rows.h"

#include "inference/layer_norm.h"

namespace diffsal {
namespace {

// A compiler may not reorder a sum, so the lanes that it can add side by side are spelt out.
constexpr int64_t lanes = 16;

}  // namespace

DIFFSAL_VECTORISED
void normalise_row(const float* from, const float* weight, const float* bias, int64_t channels, float* to) {
  normalise(from, weight, bias, channels, to);
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
float dot(const float* a, const float* b, int64_t channels) {
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
