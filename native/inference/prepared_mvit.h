#pragma once
#include <optional>
#include <vector>

#include "inference/packed_linear.h"
#include "inference/position_attention.h"
#include "model/mvit.h"

namespace diffsal {

// MViTv2 for inference on the CPU: the same function as MViT, on tokens (B, 1 + n, C), with its matrices packed.
class PreparedMViT {
 public:
  explicit PreparedMViT(const MViT& net);
  std::vector<Tensor> operator()(const Tensor& frames) const;

 private:
  struct Block {
    explicit Block(const MViTBlock& layers);
    // x becomes the block's result, and grid its grid.
    void operator()(Tensor& x, Grid& grid) const;

    const MViTBlock& layers;
    PackedLinear qkv, proj, fc1, fc2;
    std::optional<PackedLinear> skip;
    // Of the grids that came last, which are always the same.
    mutable std::optional<PositionTables> tables;

   private:
    Tensor attend(const Tensor& x, Grid& grid) const;
  };
  struct Stage {
    std::vector<Block> blocks;
    const LayerNorm& norm;
  };

  const MViT& net_;
  std::vector<Stage> stages_;
};

}  // namespace diffsal
