#include "inference/position_attention.h"

#include <ATen/Parallel.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "inference/lanes.h"

namespace diffsal {
namespace {

// The least that exponential() takes.
constexpr float least = -86;

// e^x for least <= x <= 0, within 2e-7 of it, and NaN for NaN.
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
  return p;
}

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

// A relative-position table of one axis for every query's coordinate: (queries, C, keys), the keys filled up to whole Lanes8.
struct AxisTable {
  Tensor memory;
  const float* data;
  int64_t size;  // of one coordinate's
  int64_t keys;

  explicit AxisTable(const Tensor& rows)
      : memory(at::constant_pad_nd(rows.transpose(1, 2), {0, (8 - rows.size(1) % 8) % 8}).contiguous()),
        data(memory.const_data_ptr<float>()),
        size(memory.size(1) * memory.size(2)),
        keys(memory.size(2)) {}
};

// to = q table, for a table of `channels` rows of `keys` values, a multiple of 8.
DIFFSAL_VECTORISED
void project(const float* q, const float* table, int64_t channels, int64_t keys, float* to) {
  for (int64_t key = 0; key < keys; key += 8) {
    Lanes8 even = {}, odd = {}, value;
    int64_t c = 0;
    for (; c + 2 <= channels; c += 2) {
      load(value, table + c * keys + key);
      even += value * q[c];
      load(value, table + (c + 1) * keys + key);
      odd += value * q[c + 1];
    }
    if (c < channels) {
      load(value, table + c * keys + key);
      even += value * q[c];
    }
    store<Lanes8>(to + key, even + odd);
  }
}

// One query's products with the class token and then with all keys, to weights that still want to be divided by the sum that is returned.
// slots, rows and columns: what is added at each key's coordinates. plane: h w values of scratch.
DIFFSAL_VECTORISED
float weigh(float* scores, const float* slots, const float* rows, const float* columns, const Grid& keys, float scale, float* plane) {
  auto [t, h, w] = keys;
  for (int64_t i = 0; i < h; ++i) {
    for (int64_t j = 0; j < w; ++j) plane[i * w + j] = rows[i] + columns[j];
  }
  scores[0] *= scale;
  for (int64_t slot = 0; slot < t; ++slot) {
    float *line = scores + 1 + slot * h * w, shift = slots[slot];
    for (int64_t i = 0; i < h * w; ++i) line[i] = line[i] * scale + (plane[i] + shift);
  }
  int64_t count = 1 + t * h * w;
  float best = greatest(scores, count);
  // In a loop of its own: a compiler calculates e^least beforehand and branches, where it sees it.
  for (int64_t i = 0; i < count; ++i) scores[i] = scores[i] - best < least ? least : scores[i] - best;
  for (int64_t i = 0; i < count; ++i) scores[i] = exponential(scores[i]);
  return sum(scores, count);
}

// to = sum / weights + residual, which may be null.
DIFFSAL_VECTORISED
void finish(const float* sum, float weights, const float* residual, int64_t channels, float* to) {
  float factor = 1 / weights;
  for (int64_t c = 0; c < channels; ++c) to[c] = sum[c] * factor + (residual ? residual[c] : 0);
}

// Scores of a block of queries, floats: about what a core's own cache holds.
constexpr int64_t cached = 1 << 18;

}  // namespace

Tensor position_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Grid& queries, const Grid& keys,
                          const std::array<Tensor, 3>& tables) {
  int64_t heads = q.size(1), tokens = q.size(2), known = k.size(2), channels = q.size(3);
  int64_t block = std::clamp<int64_t>(cached / known, 64, 256), blocks = (tokens + block - 1) / block;
  // A row of scores begins at the end of a line of the cache, so that the keys after the class token begin one.
  int64_t stride = (known + 14) / 16 * 16 + 16;
  auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(channels)));
  const AxisTable slots(tables[0]), rows(tables[1]), columns(tables[2]);
  auto y = at::empty({q.size(0), tokens, heads * channels}, q.options());
  const float* query = q.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  at::parallel_for(0, q.size(0) * heads * blocks, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;  // each thread has its own
    auto memory = at::empty({block * stride + 16}, q.options()), sums = at::empty({block, channels}, q.options());
    std::vector<float> plane(static_cast<size_t>(keys[1] * keys[2])), weights(static_cast<size_t>(block));
    std::vector<float> by_slot(static_cast<size_t>(slots.keys)), by_row(static_cast<size_t>(rows.keys)), by_column(static_cast<size_t>(columns.keys));
    for (int64_t index = begin; index < end; ++index) {
      int64_t map = index / blocks, sample = map / heads, head = map % heads, first = index % blocks * block;
      int64_t count = std::min(block, tokens - first);
      auto scores = memory.as_strided({count, known}, {stride, 1}, 15), sum = sums.narrow(0, 0, count);
      at::mm_out(scores, q[sample][head].narrow(0, first, count), k[sample][head].t());
      float *score = scores.data_ptr<float>(), *row = sum.data_ptr<float>();
      for (int64_t i = 0; i < count; ++i) {
        const float* from = query + (map * tokens + first + i) * channels;
        // The class token is at no place.
        if (int64_t place = first + i - 1; place >= 0) {
          project(from, slots.data + place / (queries[1] * queries[2]) * slots.size, channels, slots.keys, by_slot.data());
          project(from, rows.data + place / queries[2] % queries[1] * rows.size, channels, rows.keys, by_row.data());
          project(from, columns.data + place % queries[2] * columns.size, channels, columns.keys, by_column.data());
        } else {
          for (auto* zeros : {&by_slot, &by_row, &by_column}) std::fill(zeros->begin(), zeros->end(), 0.0f);
        }
        weights[i] = weigh(score + i * stride, by_slot.data(), by_row.data(), by_column.data(), keys, scale, plane.data());
      }
      at::mm_out(sum, scores, v[sample][head]);
      for (int64_t i = 0; i < count; ++i) {
        int64_t token = first + i;
        finish(row + i * channels, weights[i], token ? query + (map * tokens + token) * channels : nullptr, channels,
               target + (sample * tokens + token) * heads * channels + head * channels);
      }
    }
  });
  return y;
}

}  // namespace diffsal
