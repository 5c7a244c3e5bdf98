#include "network/mvit.h"

#include <ATen/ops/cat.h>

#include <algorithm>

namespace diffsal {

MViT::MViT(const Scope& scope, const VideoEncoderConfig& c)
    : projection_(scope / "patch_embed" / "projection", 3, c.embed_dim, {3, 7, 7}, {.stride = {2, 4, 4}, .padding = {1, 3, 3}}),
      cls_token_(scope.parameter("cls_token", {1, 1, c.embed_dim}, Init::zeros)) {
  Grid grid = {c.pretrain_size[0] / 2, c.pretrain_size[1] / 4, c.pretrain_size[2] / 4};
  Grid stride_kv = {c.kv_stride[0], c.kv_stride[1], c.kv_stride[2]};
  int64_t width = c.embed_dim, heads = c.heads;
  auto is_downscale = [&](int64_t i) { return std::find(c.downscale_at.begin(), c.downscale_at.end(), i) != c.downscale_at.end(); };

  std::vector<MViTBlock> blocks;
  for (int64_t i = 0; i < c.depth; ++i) {
    bool down = is_downscale(i);
    int64_t out = down ? 2 * width : width;
    Grid stride_q = {1, down ? 2 : 1, down ? 2 : 1};
    if (down) {
      heads *= 2;
      for (auto& stride : stride_kv) stride = std::max<int64_t>(stride / 2, 1);
    }
    blocks.emplace_back(scope / "blocks" / i, PooledAttention::Options{width, out, heads, stride_q, stride_kv, grid}, c.mlp_ratio);
    for (int axis = 0; axis < 3; ++axis) grid[axis] /= stride_q[axis];
    width = out;
    if (i + 1 == c.depth || is_downscale(i + 1)) {
      auto norm = scope / ("norm" + std::to_string(stages_.size()));
      stages_.push_back({std::move(blocks), LayerNorm(norm, width)});
      blocks.clear();
    }
  }
}

std::vector<Tensor> MViT::operator()(const Tensor& frames, const Pass&) const {
  auto patches = projection_(frames);
  Grid grid = {patches.size(2), patches.size(3), patches.size(4)};
  auto first = cls_token_.to(patches.scalar_type()).expand({frames.size(0), -1, -1});
  auto x = at::cat({first, patches.flatten(2).transpose(1, 2)}, 1).contiguous();
  std::vector<Tensor> maps;
  for (const auto& stage : stages_) {
    for (const auto& block : stage.blocks) {
      stop_point(x);
      x = block(x, grid);
    }
    // The norm at a stage's end is applied to the running stream as well. The next stage's first block widens, and so makes tokens of its own:
    // these stay the map's.
    x = stage.norm(x);
    maps.insert(maps.begin(), x.slice(1, 1).transpose(1, 2).unflatten(2, {grid[0], grid[1], grid[2]}));
  }
  return maps;
}

}  // namespace diffsal
