#pragma once
#include "model/mvit_block.h"
#include "model/video_encoder.h"

namespace diffsal {

// MViTv2 (Li et al. 2022): (B, 3, T, H, W) -> one map a stage, coarse to fine, (B, C_i, T/2, H/2^i, W/2^i), i = 5..2.
class MViT : public VideoEncoder {
  friend class LeanMViT;
  friend class PreparedMViT;

 public:
  MViT(const Scope& scope, const VideoEncoderConfig& config);
  std::vector<Tensor> operator()(const Tensor& frames, const Pass& pass) const override;

 private:
  // The patches' tokens after the class token, (B, 1 + n, C), and their grid.
  Tensor embed(const Tensor& frames, Grid& grid) const;
  // The patch tokens as a map (B, C, t, h, w).
  static Tensor map_of(const Tensor& x, const Grid& grid);

  struct Stage {
    std::vector<MViTBlock> blocks;
    LayerNorm norm;
  };
  Convolution projection_;
  Tensor cls_token_;
  std::vector<Stage> stages_;
};

}  // namespace diffsal
