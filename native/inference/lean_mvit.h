#pragma once
#include <vector>

#include "inference/lean_depthwise.h"
#include "model/mvit.h"

namespace diffsal {

// MViTv2 for predicting by libtorch's operators: the same function as MViT on clips of one size. Tokens stay (B, 1 + n, heads, C): all heads are
// pooled as channels of one map, and attention has the positions as further channels, so no map of scores is stored.
class LeanMViT {
 public:
  // net: a network whose parameters have the type to calculate in; it must outlive this.
  LeanMViT(const MViT& net, const Config& config);
  // (B, 3, T, H, W) of the configuration's size -> maps (B, C_i, t, h, w), coarse to fine.
  std::vector<Tensor> operator()(const Tensor& frames) const;

 private:
  struct Block {
    const MViTBlock& layers;
    Linear to_q, to_kv;             // a part of the projection each, whose results are the maps to be pooled
    LeanDepthwise pool_q, pool_kv;  // of the channels of all heads; of k and v
    Grid queries, keys;
    // Rows of the tables of relative positions for the slots (t, C, keys' t), rows (h, C, keys' h) and columns (w, C, keys' w).
    Tensor slots, rows, columns;
    Tensor one_hot;  // the keys' further channels, (1 + m, 1, channels), the class token's all zero
  };
  static Block prepare(const MViTBlock& block, Grid& grid);
  static Tensor run(const Block& block, const Tensor& x, const Grid& grid);
  static Tensor attend(const Block& block, const Tensor& x, const Grid& grid);

  const MViT& net_;
  std::vector<std::vector<Block>> stages_;
  Grid grid_;
};

}  // namespace diffsal
