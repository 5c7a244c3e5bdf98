#include "inference/lean_mvit.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "inference/lean_attention.h"
#include "inference/lean_mlp.h"
#include "runtime/cancellation.h"

namespace diffsal {
namespace {

// Sizes of heads that fused attention takes.
int64_t rounded(int64_t channels) { return (channels + 7) / 8 * 8; }

Grid pooled(const Grid& grid, const Grid& stride) {
  Grid to;
  for (size_t axis = 0; axis < 3; ++axis) to[axis] = (grid[axis] - 1) / stride[axis] + 1;
  return to;
}

Grid stride_of(const Convolution& convolution) {
  const auto& stride = convolution.options.stride;
  return {stride[0], stride[1], stride[2]};
}

// Every head's weights are the same.
Tensor repeated(const Tensor& weight, int64_t heads) { return weight.repeat({heads, 1, 1, 1, 1}); }

}  // namespace

LeanMViT::Block LeanMViT::prepare(const MViTBlock& block, Grid& grid) {
  const auto& a = block.attn_;
  auto queries = pooled(grid, stride_of(a.pool_q_)), keys = pooled(grid, stride_of(a.pool_k_));
  auto rows = [&](const Tensor& table, size_t axis) {
    return relative_position_rows(table.to(at::kFloat), queries[axis], keys[axis]).transpose(1, 2).to(table.scalar_type()).contiguous();
  };
  auto one_hot = one_hot_positions(keys, a.rel_pos_t_.options());
  int64_t channels = a.norm_q_.weight.size(0), further = one_hot.size(1);
  one_hot = at::constant_pad_nd(one_hot, {0, rounded(channels + further) - channels - further, 1, 0}).unsqueeze(1);
  grid = queries;
  int64_t width = a.heads_ * channels;
  auto part = [&](int64_t first, int64_t count) { return Linear(a.qkv_.weight.narrow(0, first, count), a.qkv_.bias.narrow(0, first, count)); };
  return {block,
          part(0, width), part(width, 2 * width),
          LeanDepthwise(repeated(a.pool_q_.weight, a.heads_), stride_of(a.pool_q_)),
          LeanDepthwise(at::cat({repeated(a.pool_k_.weight, a.heads_), repeated(a.pool_v_.weight, a.heads_)}), stride_of(a.pool_k_)),
          queries, keys, rows(a.rel_pos_t_, 0), rows(a.rel_pos_h_, 1), rows(a.rel_pos_w_, 2), one_hot};
}

LeanMViT::LeanMViT(const MViT& net, const Config& config) : net_(net), grid_{config.clip_length / 2, config.height / 4, config.width / 4} {
  Grid grid = grid_;
  for (const auto& stage : net.stages_) {
    auto& blocks = stages_.emplace_back();
    for (const auto& block : stage.blocks) blocks.push_back(prepare(block, grid));
  }
}

std::vector<Tensor> LeanMViT::operator()(const Tensor& frames) const {
  Grid grid;
  auto x = net_.embed(frames, grid);
  std::vector<Tensor> maps;
  for (size_t i = 0; i < stages_.size(); ++i) {
    for (const auto& block : stages_[i]) {
      throw_if_cancelled();
      x = run(block, x, grid);
      grid = block.queries;
    }
    x = net_.stages_[i].norm(x);
    maps.insert(maps.begin(), MViT::map_of(x, grid));
  }
  return maps;
}

Tensor LeanMViT::run(const Block& block, const Tensor& x, const Grid& grid) {
  const auto& layers = block.layers;
  auto n = layers.norm1_(x);
  auto skip = layers.proj_ ? (*layers.proj_)(n) : x;
  auto y = attend(block, n, grid);
  if (layers.stride_q_ == Grid{1, 1, 1}) {
    y.add_(skip);
  } else {
    // Queries are pooled within their slot.
    auto maps = skip.slice(1, 1).unflatten(1, {grid[0], grid[1], grid[2]}).flatten(0, 1).permute({0, 3, 1, 2});
    std::array<int64_t, 2> kernel, stride, padding;
    for (size_t axis = 0; axis < 2; ++axis) {
      stride[axis] = layers.stride_q_[axis + 1];
      kernel[axis] = skip_kernel(stride[axis]);
      padding[axis] = kernel[axis] / 2;
    }
    auto pooled = at::max_pool2d(maps, kernel, stride, padding).permute({0, 2, 3, 1}).reshape({x.size(0), -1, skip.size(2)});
    y.slice(1, 1).add_(pooled);
    y.select(1, 0).add_(skip.select(1, 0));
  }
  lean_mlp(y, layers.norm2_, layers.fc1_, layers.fc2_);
  return y;
}

Tensor LeanMViT::attend(const Block& block, const Tensor& x, const Grid& grid) {
  const auto& a = block.layers.attn_;
  const auto& [t, h, w] = block.queries;
  int64_t samples = x.size(0), heads = a.heads_, channels = a.norm_q_.weight.size(0), further = block.one_hot.size(2);
  auto unpooled_q = block.to_q(x), unpooled_kv = block.to_kv(x);
  auto class_q = unpooled_q.select(1, 0).unflatten(1, {heads, channels}), class_kv = unpooled_kv.select(1, 0).unflatten(1, {2, heads, channels});
  auto map = [&](const Tensor& tokens) { return tokens.slice(1, 1).unflatten(1, {grid[0], grid[1], grid[2]}); };
  auto q = a.norm_q_(block.pool_q(map(unpooled_q)).unflatten(4, {heads, channels}));  // (B, t, h, w, heads, C)
  auto kv = block.pool_kv(map(unpooled_kv)).unflatten(4, {2, heads, channels}).flatten(1, 3);

  // The class token is the first on both sides and has neither position nor residual.
  auto joined = [&](const Tensor& class_token, const Tensor& patches, int64_t wide) {
    auto tokens = at::empty({samples, 1 + patches.size(1), heads, wide}, x.options());
    tokens.select(1, 0).narrow(2, 0, channels).copy_(class_token);
    tokens.slice(1, 1).narrow(3, 0, channels).copy_(patches);
    return tokens;
  };
  auto query = joined(a.norm_q_(class_q), q.flatten(1, 3), channels + further);
  auto key = joined(a.norm_k_(class_kv.select(1, 0)), a.norm_k_(kv.select(2, 0)), channels + further);
  auto value = joined(a.norm_v_(class_kv.select(1, 1)), a.norm_v_(kv.select(2, 1)), channels);
  key.narrow(3, 0, channels).mul_(1 / std::sqrt(static_cast<double>(channels)));
  key.narrow(3, channels, further).copy_(block.one_hot);

  // The relative position takes the query as it is; the scale is the key's.
  query.select(1, 0).narrow(2, channels, further).zero_();
  auto positions = query.slice(1, 1).narrow(3, channels, further).unflatten(1, {t, h, w});  // (B, t, h, w, heads, further)
  auto [kt, kh, kw] = block.keys;
  positions.narrow(5, 0, kt).copy_(at::matmul(q.flatten(2, 4), block.slots).unflatten(2, {h, w, heads}));
  positions.narrow(5, kt, kh).copy_(at::matmul(q.flatten(3, 4), block.rows).unflatten(3, {w, heads}));
  auto by_column = at::matmul(q.permute({3, 0, 1, 2, 4, 5}).reshape({w, -1, channels}), block.columns).view({w, samples, t, h, heads, kw});
  positions.narrow(5, kt + kh, kw).copy_(by_column.permute({1, 2, 3, 0, 4, 5}));
  positions.narrow(5, kt + kh + kw, further - kt - kh - kw).zero_();

  auto y = lean_attention(query, key, value);
  y.slice(1, 1).add_(q.flatten(1, 3));
  return a.proj_(y.flatten(2));
}

}  // namespace diffsal
