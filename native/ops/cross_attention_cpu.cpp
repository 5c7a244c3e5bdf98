#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "ops/cross_attention.h"
#include "ops/rows.h"

namespace diffsal {
namespace {

// Tokens that go through a block together.
constexpr int64_t batch_tokens = 512;
// So many keys of all heads that folding the projections into them pays.
constexpr int64_t most_folded = 1024;

// What queries before their projection meet, for each group of tokens that attend together. Where keys are few, both projections around
// the attention are folded into them: (q W + b) k = q (W k) + b k, and the attention's sum of values is projected value by value.
struct Keys {
  std::vector<Packed> keys, values;  // of each group (C, heads n) and (heads n, C)
  Tensor bias;                       // (G, heads n)
  int64_t count = 0;                 // n
};

Keys prepare_keys(const Tensor& keys, const Tensor& values, const CrossAttention::Packing& packing, int64_t heads) {
  int64_t groups = keys.size(0), count = keys.size(1), channels = keys.size(2), width = channels / heads;
  auto k = packing.key(keys), v = packing.value(values);
  auto key_rows = at::empty({groups, heads * count, channels}, keys.options()), value_rows = at::empty_like(key_rows);
  Keys folded{std::vector<Packed>(static_cast<size_t>(groups)), std::vector<Packed>(static_cast<size_t>(groups)),
              at::empty({groups, heads * count}, keys.options()), count};
  float *bias = folded.bias.data_ptr<float>(), *to_keys = key_rows.data_ptr<float>(), *to_values = value_rows.data_ptr<float>();
  const float *from_keys = k.const_data_ptr<float>(), *from_values = v.const_data_ptr<float>(), *shift = packing.query.shift();
  at::parallel_for(0, groups * heads * 2, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      int64_t part = task / 2, group = part / heads, head = part % heads;
      int64_t from = group * count * channels + head * width, to = part * count * channels;
      if (task % 2 == 0) {
        multiply(from_keys + from, channels, count, packing.head_queries[static_cast<size_t>(head)], to_keys + to, channels);
        for (int64_t i = 0; i < count; ++i) bias[part * count + i] = dot(from_keys + from + i * channels, shift + head * width, width);
      } else {
        // A head's weights add up to 1, so that the output's bias can ride on the values of one.
        multiply(from_values + from, channels, count, packing.head_outputs[static_cast<size_t>(head)], to_values + to, channels,
                 {head == 0 ? packing.output.shift() : nullptr, false});
      }
    }
  });
  at::parallel_for(0, groups, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;
    for (int64_t group = begin; group < end; ++group) {
      auto i = static_cast<size_t>(group);
      folded.keys[i] = Packed(to_keys + group * heads * count * channels, channels, heads * count, 1, channels);
      folded.values[i] = Packed(to_values + group * heads * count * channels, heads * count, channels, channels, 1);
    }
  });
  return folded;
}

// Writes the norms of the tokens from `begin` to `end`.
void finish_rows(const Tensor& x, int64_t begin, int64_t end, const LayerNorm& norm, Tensor& to) {
  int64_t slots = x.size(1), places = x.size(2) * x.size(3), channels = x.size(4), kept = to.size(3);
  const float *scale = norm.weight.const_data_ptr<float>(), *shift = norm.bias.const_data_ptr<float>();
  const float* source = x.const_data_ptr<float>();
  float* target = to.data_ptr<float>();
  for (int64_t token = begin; token < end; ++token) {
    int64_t sample = token / (slots * places), slot = token / places % slots, place = token % places;
    if (slot >= kept) continue;
    normalise_row(source + token * channels, scale, shift, channels, target + ((sample * places + place) * kept + slot) * channels);
  }
}

}  // namespace

Attended attend_cpu(const Tensor& x, const Tensor& n, const Tensor& keys, const Tensor& values, const CrossAttention& attention, const MLP& mlp,
                    const LayerNorm& next, const Attending& attending) {
  const auto& packing = attention.packing();
  const auto &fc1 = mlp.fc1.packed(), &fc2 = mlp.fc2.packed();
  std::optional<DepthwiseNorm> around;
  if (attention.conv_proj_q) around = attention.conv_proj_q->packed_around();
  int64_t samples = x.size(0), slots = x.size(1), h = x.size(2), w = x.size(3), channels = x.size(4), heads = attention.heads;
  int64_t queried = attending.read_alone ? attending.read : slots;
  auto y = x, normed = at::empty({samples, h, w, attending.read, channels}, x.options());
  int64_t groups = keys.size(0), group_slots = attending.by_slot ? 1 : slots, group_tokens = group_slots * h * w;
  auto map = n.view({groups, group_slots, h, w, channels});
  Keys folded;
  Tensor attended;  // (G, tokens, C), where keys are many
  if (heads * keys.size(1) <= most_folded) {
    folded = prepare_keys(keys, values, packing, heads);
  } else {
    auto queries = around ? around_cpu(map, *around) : map;
    auto split = [&](const Tensor& tokens) { return tokens.unflatten(2, {heads, -1}).transpose(1, 2); };
    attended = at::scaled_dot_product_attention(split(packing.query(queries.view({groups, group_tokens, channels}))), split(packing.key(keys)),
                                                split(packing.value(values)), {}, 0.0, false, 1.0)
                   .transpose(1, 2)
                   .reshape({groups * group_tokens, channels});
  }

  // A batch is of whole rows of the grid, for the queries' convolution, and of one group.
  int64_t threads = at::get_num_threads();
  int64_t group_rows = attending.by_slot ? h : queried * h;
  int64_t batches = (group_rows * w + batch_tokens - 1) / batch_tokens;
  if (groups % threads != 0) batches = (batches + threads - 1) / threads * threads;
  int64_t batch_rows = (group_rows + batches - 1) / batches;
  auto tokens = y.view({groups * group_tokens, channels});
  at::parallel_for(0, groups * batches, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;
    int64_t most = batch_rows * w;
    auto inside = at::empty({most, channels}, x.options()), inner = at::empty({most, fc1.out()}, x.options());
    auto scores = at::empty({folded.count > 0 ? most : 0, heads * folded.count}, x.options());
    for (int64_t batch = begin; batch < end; ++batch) {
      int64_t group = batch / batches, first = batch % batches * batch_rows, count = std::min(batch_rows, group_rows - first);
      if (count <= 0 || (attending.by_slot && group % slots >= queried)) continue;
      int64_t start = group * group_tokens + first * w, length = count * w;
      auto part = tokens.narrow(0, start, length), q = inside.narrow(0, 0, length);
      if (folded.count > 0) {
        if (around) {
          for (int64_t row = 0; row < count; ++row) around->row(map, group, first + row, q.data_ptr<float>() + row * w * channels);
        }
        const auto& asked = around ? q : n.view({groups * group_tokens, channels}).narrow(0, start, length);
        float* weights = scores.data_ptr<float>();
        int64_t width = heads * folded.count;
        const float* shift = folded.bias.const_data_ptr<float>() + group * width;
        multiply(asked.const_data_ptr<float>(), channels, length, folded.keys[static_cast<size_t>(group)], weights, width, {.bias = shift});
        for (int64_t i = 0; i < length * heads; ++i) softmax(weights + i * folded.count, folded.count);
        multiply(weights, width, length, folded.values[static_cast<size_t>(group)], part.data_ptr<float>(), channels, {.held = true});
      } else {
        packing.output.rows(attended.const_data_ptr<float>() + start * channels, length, part.data_ptr<float>(), true);
      }
      mlp_rows(part.data_ptr<float>(), length, mlp.norm, fc1, fc2, q.data_ptr<float>(), inner.data_ptr<float>());
      finish_rows(y, start, start + length, next, normed);
    }
  });
  return {y, normed};
}

}  // namespace diffsal
