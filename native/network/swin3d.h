#pragma once
#include <optional>

#include "network/encoder_adapter.h"
#include "ops/mlp.h"
#include "ops/relative_position.h"

namespace diffsal {

// Attention within windows of the (t, h, w) grid, shifted by half a window in every other block, with a learned bias for
// each relative position. Where the grid is smaller than the window on an axis, the window shrinks to it and is not shifted.
class WindowAttention {
 public:
  WindowAttention(const Scope& scope, int64_t channels, int64_t heads, bool shifted);
  // (B, t, h, w, C) -> the same shape.
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor position_bias(const Grid& window) const;

  Linear qkv_, proj_;
  Tensor relative_position_bias_table_;
  int64_t heads_;
  bool shifted_;
};

// Video Swin-T (Liu et al. 2022), in the names of torchvision's checkpoints.
class Swin3D : public VideoBackbone {
 public:
  explicit Swin3D(const Scope& scope);
  std::vector<Tensor> operator()(const Tensor& frames, const Pass& pass) const override;
  std::vector<int64_t> widths() const override { return {96, 192, 384, 768}; }

 private:
  struct Block {
    LayerNorm norm1;
    WindowAttention attn;
    MLP mlp;
  };
  // Joins 2x2 patches and halves what comes out.
  struct Merging {
    LayerNorm norm;
    Linear reduction;
  };
  struct Stage {
    std::optional<Merging> merging;  // before the blocks
    std::vector<Block> blocks;
  };
  Convolution proj_;
  LayerNorm norm_;
  std::vector<Stage> stages_;
};

}  // namespace diffsal
