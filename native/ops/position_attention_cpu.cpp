#include "ops/position_attention.h"

#include <ATen/Parallel.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/matrix_product.h"
#include "ops/softmax.h"

namespace diffsal {
namespace {

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
  return exponentials(scores, 1 + t * h * w);
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

AxisTable::AxisTable(const Tensor& rows)
    : memory(at::constant_pad_nd(rows.transpose(1, 2), {0, (8 - rows.size(1) % 8) % 8}).contiguous()),
      data(memory.const_data_ptr<float>()),
      size(memory.size(1) * memory.size(2)),
      keys(memory.size(2)) {}

PositionTables::PositionTables(const Grid& queries, const Grid& keys, const Tensor& table_t, const Tensor& table_h, const Tensor& table_w)
    : queries(queries),
      keys(keys),
      slots(relative_position_rows(table_t, queries[0], keys[0])),
      rows(relative_position_rows(table_h, queries[1], keys[1])),
      columns(relative_position_rows(table_w, queries[2], keys[2])) {}

Tensor position_attention_cpu(const Tensor& q, const Tensor& k, const Tensor& v, const PositionTables& tables) {
  // Not as a structured binding, of which Clang before 16 lets no lambda know.
  const auto &queries = tables.queries, &keys = tables.keys;
  const auto &slots = tables.slots, &rows = tables.rows, &columns = tables.columns;
  int64_t heads = q.size(1), tokens = q.size(2), known = k.size(2), channels = q.size(3), maps = q.size(0) * heads;
  int64_t block = std::clamp<int64_t>(cached / known, 48, 240) / 12 * 12, blocks = (tokens + block - 1) / block;
  // A row of scores begins at the end of a line of the cache, so that the keys after the class token begin one.
  int64_t stride = (known + 14) / 16 * 16 + 16;
  auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(channels)));
  auto y = at::empty({q.size(0), tokens, heads * channels}, q.options());
  const float *query = q.const_data_ptr<float>(), *key = k.const_data_ptr<float>(), *value = v.const_data_ptr<float>();
  float* target = y.data_ptr<float>();
  std::vector<Packed> packed_keys(static_cast<size_t>(maps)), packed_values(static_cast<size_t>(maps));
  at::parallel_for(0, maps, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;  // each thread has its own
    for (int64_t map = begin; map < end; ++map) {
      packed_keys[static_cast<size_t>(map)] = Packed(key + map * known * channels, channels, known, 1, channels);
      packed_values[static_cast<size_t>(map)] = Packed(value + map * known * channels, known, channels, channels, 1);
    }
  });
  at::parallel_for(0, maps * blocks, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;
    auto memory = at::empty({block * stride + 16}, q.options()), sums = at::empty({block, channels}, q.options());
    float *score = memory.data_ptr<float>() + 15, *sum = sums.data_ptr<float>();
    std::vector<float> plane(static_cast<size_t>(keys[1] * keys[2])), weights(static_cast<size_t>(block));
    std::vector<float> by_slot(static_cast<size_t>(slots.keys)), by_row(static_cast<size_t>(rows.keys)), by_column(static_cast<size_t>(columns.keys));
    for (int64_t index = begin; index < end; ++index) {
      int64_t map = index / blocks, sample = map / heads, head = map % heads, first = index % blocks * block;
      int64_t count = std::min(block, tokens - first);
      const float* asked = query + (map * tokens + first) * channels;
      multiply(asked, channels, count, packed_keys[static_cast<size_t>(map)], score, stride);
      for (int64_t i = 0; i < count; ++i) {
        const float* from = asked + i * channels;
        // The class token is at no place.
        if (int64_t place = first + i - 1; place >= 0) {
          project(from, slots.data + place / (queries[1] * queries[2]) * slots.size, channels, slots.keys, by_slot.data());
          project(from, rows.data + place / queries[2] % queries[1] * rows.size, channels, rows.keys, by_row.data());
          project(from, columns.data + place % queries[2] * columns.size, channels, columns.keys, by_column.data());
        } else {
          for (auto* zeros : {&by_slot, &by_row, &by_column}) std::fill(zeros->begin(), zeros->end(), 0.0f);
        }
        weights[static_cast<size_t>(i)] = weigh(score + i * stride, by_slot.data(), by_row.data(), by_column.data(), keys, scale, plane.data());
      }
      multiply(score, stride, count, packed_values[static_cast<size_t>(map)], sum, channels);
      for (int64_t i = 0; i < count; ++i) {
        int64_t token = first + i;
        finish(sum + i * channels, weights[static_cast<size_t>(i)], token ? asked + i * channels : nullptr, channels,
               target + (sample * tokens + token) * heads * channels + head * channels);
      }
    }
  });
  return y;
}

}  // namespace diffsal
