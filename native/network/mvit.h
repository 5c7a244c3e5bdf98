#pragma once
#include "network/mvit_block.h"
#include "network/video_encoder.h"

namespace diffsal {

// MViTv2 (Li et al. 2022): (B, 3, T, H, W) -> one map a stage, coarse to fine, (B, C_i, T/2, H/2^i, W/2^i), i = 5..2.
class MViT : public VideoEncoder {
 public:
  MViT(const Scope& scope, const VideoEncoderConfig& config);
  std::vector<Tensor> operator()(const Tensor& frames, const Pass& pass) const override;

 private:
  struct Stage {
    std::vector<MViTBlock> blocks;
    LayerNorm norm;
  };
  Convolution projection_;
  Tensor cls_token_;
  std::vector<Stage> stages_;
};

}  // namespace diffsal
