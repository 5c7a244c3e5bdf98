#include "inference/prepared_block.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "inference/folding.h"
#include "inference/modulation.h"
#include "inference/rows.h"
#include "inference/token_mlp.h"

namespace diffsal {
namespace {

// Tokens that go through a block together.
constexpr int64_t batch_tokens = 512;
// So many keys of all heads that folding the projections into them pays.
constexpr int64_t most_folded = 1024;

DepthwiseNorm depthwise(const Convolution& convolution, const LayerNorm& norm) {
  return {convolution.weight.flatten(1).t().contiguous(), norm.weight, norm.bias};
}

PackedLinear pointwise(const Convolution& convolution) { return PackedLinear(matrix(convolution.weight), convolution.bias); }

PatchNorm patches(const Convolution& convolution, const LayerNorm& norm) {
  return {convolution.weight.flatten(1).t().contiguous(), norm.weight, norm.bias, convolution.weight.size(3)};
}

}  // namespace

// What queries before their projection meet, for each group of tokens that attend together. Where keys are few, both projections around
// the attention are folded into them: (q W + b) k = q (W k) + b k, and the attention's sum of values is projected value by value.
struct PreparedBlock::Keys {
  std::vector<Packed> keys, values;  // of each group (C, heads n) and (heads n, C)
  Tensor bias;                       // (G, heads n)
  int64_t count = 0;                 // n
};

PreparedBlock::PreparedBlock(const MAMBlock& block, const Config& config)
    : block_(block),
      interaction_(config.interaction),
      released_(config.released()),
      heads_(config.attention_heads),
      align_(pointwise(block.align_conv_)) {
  const auto& join = block.interaction_;
  if (join.fuse_) {
    auto [of_map, of_sound] = halves(*join.fuse_);
    fuse_.emplace(of_map, Tensor());
    fuse_a_.emplace(of_sound, join.fuse_->bias);
  }
  if (join.fuse_x_) fuse_x_.emplace(pointwise(*join.fuse_x_));
  if (join.fuse_a_) fuse_a_.emplace(pointwise(*join.fuse_a_));
  if (join.fuse_out_) fuse_out_.emplace(pointwise(*join.fuse_out_));
  if (block.convolve_) {
    auto folded = fold(block.convolve_->conv1, block.convolve_->norm1);
    convolution_.emplace(folded.weight, 1);
    convolution_bias_ = folded.bias;
    return;
  }
  fc1_ = PackedLinear(block.attend_->fc1);
  fc2_ = PackedLinear(block.attend_->fc2);
  const auto& attn = block.attend_->attn;
  double scale = 1 / std::sqrt(static_cast<double>(attn.proj_k_.weight.size(0)));
  query_ = PackedLinear(attn.proj_q_);
  key_ = PackedLinear(attn.proj_k_.weight * scale, attn.proj_k_.bias * scale);
  value_ = PackedLinear(attn.proj_v_);
  output_ = PackedLinear(attn.proj_);
  for (const auto& part : attn.proj_q_.weight.chunk(heads_, 0)) head_queries_.emplace_back(part);
  for (const auto& part : attn.proj_.weight.chunk(heads_, 1)) head_outputs_.emplace_back(part.t());
  if (config.attention == Attention::eca) {
    queries_ = depthwise(attn.conv_proj_q_->conv_, attn.conv_proj_q_->bn_);
    keys_ = patches(attn.conv_proj_k_->conv_, attn.conv_proj_k_->bn_);
    values_ = patches(attn.conv_proj_v_->conv_, attn.conv_proj_v_->bn_);
  }
}

Tensor PreparedBlock::hear(const Tensor& audio) const {
  if (interaction_ == InteractionKind::off) return {};
  auto aligned = align_(audio.permute({0, 2, 3, 4, 1}).contiguous());
  return fuse_a_ ? (*fuse_a_)(aligned) : aligned;
}

// The attention's key, undefined where it is the map itself; a residual interaction changes the map instead.
Tensor PreparedBlock::key_map(Tensor& x, const Tensor& sound) const {
  if (!sound.defined()) return {};
  switch (interaction_) {
    case InteractionKind::mim:
      return modulate(sound, agreement(x, sound));
    case InteractionKind::addition: {
      auto key = x.clone();
      join_sound(key, sound, Join::add);
      return key;
    }
    case InteractionKind::concatenation: {
      auto key = (*fuse_)(x);
      join_sound(key, sound, Join::add);
      return key;
    }
    case InteractionKind::bilinear: {
      auto key = (*fuse_x_)(x);
      join_sound(key, sound, Join::multiply);
      return key;
    }
    case InteractionKind::residual: {
      auto product = (*fuse_x_)(x);
      join_sound(product, sound, Join::multiply);
      fuse_out_->add_to(x, product);
      return {};
    }
    case InteractionKind::off:
      return {};
  }
  return {};
}

void PreparedBlock::operator()(Tensor& x, const Tensor& sound, bool last, const Finish& finish) const {
  if (convolution_) convolve(x, sound, finish);
  else attend(x, sound, last ? finish.to.size(3) : x.size(1), finish);
}

void PreparedBlock::convolve(Tensor& x, const Tensor& sound, const Finish& finish) const {
  auto key = key_map(x, sound);
  x = (*convolution_)((key.defined() ? key : x).flatten(0, 1), {.bias = convolution_bias_}).view(x.sizes());
  at::parallel_for(0, x.numel() / x.size(4), batch_tokens, [&](int64_t begin, int64_t end) { finish_rows(x, begin, end, finish); });
}

PreparedBlock::Keys PreparedBlock::prepare_keys(const Tensor& keys, const Tensor& values) const {
  int64_t groups = keys.size(0), count = keys.size(1), channels = keys.size(2), width = channels / heads_;
  auto k = key_(keys), v = value_(values);
  auto key_rows = at::empty({groups, heads_ * count, channels}, keys.options()), value_rows = at::empty_like(key_rows);
  Keys folded{std::vector<Packed>(static_cast<size_t>(groups)), std::vector<Packed>(static_cast<size_t>(groups)), at::empty({groups, heads_ * count}, keys.options()), count};
  float *bias = folded.bias.data_ptr<float>(), *to_keys = key_rows.data_ptr<float>(), *to_values = value_rows.data_ptr<float>();
  const float *from_keys = k.const_data_ptr<float>(), *from_values = v.const_data_ptr<float>(), *shift = query_.shift();
  at::parallel_for(0, groups * heads_ * 2, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      int64_t part = task / 2, group = part / heads_, head = part % heads_;
      int64_t from = group * count * channels + head * width, to = part * count * channels;
      if (task % 2 == 0) {
        multiply(from_keys + from, channels, count, head_queries_[static_cast<size_t>(head)], to_keys + to, channels);
        for (int64_t i = 0; i < count; ++i) bias[part * count + i] = dot(from_keys + from + i * channels, shift + head * width, width);
      } else {
        // A head's weights add up to 1, so that the output's bias can ride on the values of one.
        multiply(from_values + from, channels, count, head_outputs_[static_cast<size_t>(head)], to_values + to, channels, {head == 0 ? output_.shift() : nullptr, false});
      }
    }
  });
  at::parallel_for(0, groups, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;
    for (int64_t group = begin; group < end; ++group) {
      auto i = static_cast<size_t>(group);
      folded.keys[i] = Packed(to_keys + group * heads_ * count * channels, channels, heads_ * count, 1, channels);
      folded.values[i] = Packed(to_values + group * heads_ * count * channels, heads_ * count, channels, channels, 1);
    }
  });
  return folded;
}

void PreparedBlock::attend(Tensor& x, const Tensor& sound, int64_t queried, const Finish& finish) const {
  const auto& norm = block_.attend_->norm;
  const auto& norm2 = block_.attend_->norm2;
  int64_t samples = x.size(0), slots = x.size(1), h = x.size(2), w = x.size(3), channels = x.size(4);
  Tensor keys, n;
  if (interaction_ == InteractionKind::mim && keys_ && sound.defined() && !released_ && keys_->kernel % (w / sound.size(3)) == 0) {
    keys = keys_->modulated(sound, agreement(x, sound));
    n = norm(x);
  } else {
    auto key = key_map(x, sound);
    n = norm(x);
    // The released program reads the key's memory, channels first, as (slot, h w, C).
    if (key.defined() && released_) key = key.permute({0, 4, 1, 2, 3}).contiguous().view(x.sizes());
    if (!key.defined()) key = n;
    keys = keys_ ? (*keys_)(key) : key.flatten(1, 3);
  }
  auto values = values_ ? (*values_)(n) : n.flatten(1, 3);

  // Tokens that attend together: a sample's, or in the released program a slot's.
  int64_t groups = released_ ? samples * slots : samples, group_slots = released_ ? 1 : slots, group_tokens = group_slots * h * w;
  auto grouped = [&](const Tensor& tokens) { return tokens.reshape({groups, -1, channels}); };
  auto map = n.view({groups, group_slots, h, w, channels});
  keys = grouped(keys);
  values = grouped(values);
  Keys folded;
  Tensor attended;  // (G, tokens, C), where keys are many
  if (heads_ * keys.size(1) <= most_folded) {
    folded = prepare_keys(keys, values);
  } else {
    Tensor queries = map;
    if (queries_) {
      queries = at::empty_like(map);
      at::parallel_for(0, groups * group_slots * h, 1, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          queries_->row(map, row / (group_slots * h), row % (group_slots * h), queries.data_ptr<float>() + row * w * channels);
        }
      });
    }
    auto split = [&](const Tensor& y) { return y.unflatten(2, {heads_, -1}).transpose(1, 2); };
    attended = at::scaled_dot_product_attention(split(query_(queries.view({groups, group_tokens, channels}))), split(key_(keys)), split(value_(values)), {}, 0.0, false, 1.0)
                   .transpose(1, 2)
                   .reshape({groups * group_tokens, channels});
  }

  // A batch is of whole rows of the grid, for the queries' convolution, and of one group.
  int64_t threads = at::get_num_threads();
  int64_t group_rows = released_ ? h : queried * h;
  int64_t batches = (group_rows * w + batch_tokens - 1) / batch_tokens;
  if (groups % threads != 0) batches = (batches + threads - 1) / threads * threads;
  int64_t batch_rows = (group_rows + batches - 1) / batches;
  auto tokens = x.view({groups * group_tokens, channels});
  at::parallel_for(0, groups * batches, 1, [&](int64_t begin, int64_t end) {
    c10::InferenceMode inference;
    int64_t most = batch_rows * w;
    auto normed = at::empty({most, channels}, x.options()), inner = at::empty({most, fc1_.out()}, x.options());
    auto scores = at::empty({folded.count > 0 ? most : 0, heads_ * folded.count}, x.options());
    for (int64_t batch = begin; batch < end; ++batch) {
      int64_t group = batch / batches, first = batch % batches * batch_rows, count = std::min(batch_rows, group_rows - first);
      if (count <= 0 || (released_ && group % slots >= queried)) continue;
      int64_t start = group * group_tokens + first * w, length = count * w;
      auto part = tokens.narrow(0, start, length), q = normed.narrow(0, 0, length);
      if (folded.count > 0) {
        if (queries_) {
          for (int64_t row = 0; row < count; ++row) queries_->row(map, group, first + row, q.data_ptr<float>() + row * w * channels);
        }
        const auto& asked = queries_ ? q : n.view({groups * group_tokens, channels}).narrow(0, start, length);
        float* weights = scores.data_ptr<float>();
        int64_t width = heads_ * folded.count;
        const float* shift = folded.bias.const_data_ptr<float>() + group * width;
        multiply(asked.const_data_ptr<float>(), channels, length, folded.keys[static_cast<size_t>(group)], weights, width, {.bias = shift});
        for (int64_t i = 0; i < length * heads_; ++i) softmax(weights + i * folded.count, folded.count);
        multiply(weights, width, length, folded.values[static_cast<size_t>(group)], part.data_ptr<float>(), channels, {.held = true});
      } else {
        output_.rows(attended.const_data_ptr<float>() + start * channels, length, part.data_ptr<float>(), true);
      }
      add_mlp_rows(part.data_ptr<float>(), length, norm2, fc1_, fc2_, q.data_ptr<float>(), inner.data_ptr<float>());
      finish_rows(x, start, start + length, finish);
    }
  });
}

// Writes the norms of the tokens from `begin` to `end`.
void PreparedBlock::finish_rows(const Tensor& x, int64_t begin, int64_t end, const Finish& finish) const {
  int64_t slots = x.size(1), places = x.size(2) * x.size(3), channels = x.size(4), kept = finish.to.size(3);
  const float *scale = finish.norm.weight.const_data_ptr<float>(), *shift = finish.norm.bias.const_data_ptr<float>();
  const float* source = x.const_data_ptr<float>();
  float* target = finish.to.data_ptr<float>();
  for (int64_t token = begin; token < end; ++token) {
    int64_t sample = token / (slots * places), slot = token / places % slots, place = token % places;
    if (slot >= kept) continue;
    normalise_row(source + token * channels, scale, shift, channels, target + ((sample * places + place) * kept + slot) * channels);
  }
}

}  // namespace diffsal
