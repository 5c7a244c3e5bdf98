#pragma once
#include <cstdint>

namespace diffsal {

// Functions of rows of channels, float32, one after the other in memory.

// Layer norm of one row, epsilon 1e-5; `to` may be `from`.
void normalise_row(const float* from, const float* weight, const float* bias, int64_t channels, float* to);

// The same of `count` rows.
void normalise_rows(const float* from, const float* weight, const float* bias, int64_t channels, int64_t count, float* to);

// to = sum of factors[i] * from[i] for six rows, or added to what `to` holds.
void weigh_six(const float* const from[6], const float factors[6], int64_t channels, bool add, float* to);

// to += a * b
void add_product(const float* a, const float* b, int64_t channels, float* to);

// x = max(x + bias, 0); what is no number stays so
void add_relu(float* x, const float* bias, int64_t channels);

// x += bias
void add_row(float* x, const float* bias, int64_t channels);

// The softmax of `count` values.
void softmax(float* x, int64_t count);

// x = x (1 + erf(x / sqrt(2))) / 2 of `count` values, within 3e-7 |x|; what is no number stays so
void gelu(float* x, int64_t count);

float dot(const float* a, const float* b, int64_t channels);

}  // namespace diffsal
