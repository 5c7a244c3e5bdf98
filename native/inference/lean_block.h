#pragma once
#include <optional>

#include "inference/lean_depthwise.h"
#include "model/mam_stage.h"

namespace diffsal {

// A MAM block for predicting by libtorch's operators, on channels-last maps (B, t, h, w, C) of any type.
class LeanBlock {
 public:
  LeanBlock(const MAMBlock& block, const Config& config, at::ScalarType type);

  // The block's part of a clip's enhanced sound (B, Ca, t, ha, wa), which no step changes: (B, t, ha, wa, C), or undefined.
  Tensor hear(const Tensor& audio) const;
  // x may be changed.
  Tensor operator()(const Tensor& x, const Tensor& sound) const;

 private:
  // STC, eq. 8: a depthwise convolution, then the norm.
  struct Attend {
    LayerNorm norm, norm2;
    Linear proj_q, proj_k, proj_v, proj, fc1, fc2;
    std::optional<LeanDepthwise> queries;
    std::optional<LeanPatches> keys, values;
    std::optional<LayerNorm> norm_q, norm_k, norm_v;
  };
  static Attend attention_of(const MAMBlock& block, at::ScalarType type);
  Tensor key_map(Tensor& x, const Tensor& sound) const;
  Tensor attend(Tensor x, const Tensor& sound) const;
  Tensor convolve(Tensor x, const Tensor& sound) const;

  InteractionKind interaction_;
  bool released_;
  int64_t heads_;
  Linear align_;
  std::optional<Linear> fuse_, fuse_x_, fuse_a_, fuse_out_;  // fuse_: of the map's half of a concatenation; fuse_a_: of the sound
  std::optional<Attend> attend_;
  std::optional<Convolution> convolution_;
};

}  // namespace diffsal
