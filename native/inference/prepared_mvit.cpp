#include "inference/prepared_mvit.h"

#include "inference/position_attention.h"
#include "inference/token_mlp.h"
#include "inference/token_pooling.h"
#include "runtime/cancellation.h"

namespace diffsal {

std::vector<Tensor> PreparedMViT::operator()(const Tensor& frames) const {
  Grid grid;
  auto x = net_.embed(frames, grid);
  std::vector<Tensor> maps;
  for (const auto& stage : net_.stages_) {
    for (const auto& block : stage.blocks) {
      throw_if_cancelled();
      x = run(block, x, grid);
    }
    x = stage.norm(x);
    maps.insert(maps.begin(), MViT::map_of(x, grid));
  }
  return maps;
}

Tensor PreparedMViT::run(const MViTBlock& block, const Tensor& x, Grid& grid) {
  auto n = block.norm1_(x);
  auto skip = block.proj_ ? (*block.proj_)(n) : x;
  if (block.stride_q_ != Grid{1, 1, 1}) skip = max_pool_tokens(skip, grid, block.stride_q_);
  auto y = attend(block.attn_, n, grid);
  y.add_(skip);
  add_mlp(y, block.norm2_, block.fc1_, block.fc2_);
  return y;
}

Tensor PreparedMViT::attend(const PooledAttention& a, const Tensor& x, Grid& grid) {
  auto parts = a.split(x);
  Grid queries = grid, keys = grid, values = grid;
  auto q = pool_and_norm(parts[0], queries, a.pool_q_, a.norm_q_);
  auto k = pool_and_norm(parts[1], keys, a.pool_k_, a.norm_k_);
  auto v = pool_and_norm(parts[2], values, a.pool_v_, a.norm_v_);
  std::array<Tensor, 3> tables = {relative_position_rows(a.rel_pos_t_, queries[0], keys[0]), relative_position_rows(a.rel_pos_h_, queries[1], keys[1]),
                                  relative_position_rows(a.rel_pos_w_, queries[2], keys[2])};
  grid = queries;
  return a.proj_(position_attention(q, k, v, queries, keys, tables));
}

}  // namespace diffsal
