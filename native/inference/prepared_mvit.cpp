#include "inference/prepared_mvit.h"

#include "inference/token_mlp.h"
#include "inference/token_pooling.h"
#include "runtime/cancellation.h"

namespace diffsal {

PreparedMViT::PreparedMViT(const MViT& net) : net_(net) {
  for (const auto& stage : net.stages_) {
    auto& prepared = stages_.emplace_back(Stage{{}, stage.norm});
    for (const auto& block : stage.blocks) prepared.blocks.emplace_back(block);
  }
}

std::vector<Tensor> PreparedMViT::operator()(const Tensor& frames) const {
  Grid grid;
  auto x = net_.embed(frames, grid);
  std::vector<Tensor> maps;
  for (const auto& stage : stages_) {
    for (const auto& block : stage.blocks) {
      throw_if_cancelled();
      block(x, grid);
    }
    x = stage.norm(x);
    // A stage's first block widens, and so makes tokens of its own: these stay the map's.
    maps.insert(maps.begin(), MViT::map_of(x, grid));
  }
  return maps;
}

PreparedMViT::Block::Block(const MViTBlock& block)
    : layers(block), qkv(block.attn_.qkv_), proj(block.attn_.proj_), fc1(block.fc1_), fc2(block.fc2_) {
  if (block.proj_) skip.emplace(*block.proj_);
}

void PreparedMViT::Block::operator()(Tensor& x, Grid& grid) const {
  auto before = grid;
  auto attended = attend(x, grid);
  if (skip) x = linear_of_norm(x, layers.norm1_, *skip);
  if (layers.stride_q_ != Grid{1, 1, 1}) x = max_pool_tokens(x, before, layers.stride_q_);
  proj.add_to(x, attended);
  add_mlp(x, layers.norm2_, fc1, fc2);
}

Tensor PreparedMViT::Block::attend(const Tensor& x, Grid& grid) const {
  const auto& a = layers.attn_;
  auto parts = a.split(linear_of_norm(x, layers.norm1_, qkv));
  Grid queries = grid, keys = grid, values = grid;
  auto q = pool_and_norm(parts[0], queries, a.pool_q_, a.norm_q_);
  auto k = pool_and_norm(parts[1], keys, a.pool_k_, a.norm_k_);
  auto v = pool_and_norm(parts[2], values, a.pool_v_, a.norm_v_);
  if (!tables || tables->queries != queries || tables->keys != keys) tables.emplace(queries, keys, a.rel_pos_t_, a.rel_pos_h_, a.rel_pos_w_);
  grid = queries;
  return position_attention(q, k, v, *tables);
}

}  // namespace diffsal
