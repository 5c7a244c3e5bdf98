#pragma once
#include <optional>

#include "model/cross_attention.h"
#include "model/interaction.h"

namespace diffsal {

// One multi-modal attention modulation (MAM) block, section 4.2: the sound's interaction with the stage's map gives the
// attention's key; attention and MLP, each with its residual connection. With attention none (table 1), a 3x3
// convolution and BatchNorm on every slot stand in.
class MAMBlock {
  friend class LeanBlock;
  friend class PreparedBlock;

 public:
  MAMBlock(const Scope& scope, int64_t channels, int64_t kernel, const Config& config);
  // x: (B, C, t, h, w); audio: VGGish's enhanced map (B, Ca, t, ha, wa), or undefined.
  Tensor operator()(const Tensor& x, const Tensor& audio, const Pass& pass) const;

 private:
  struct Attend {
    LayerNorm norm, norm2;
    Linear fc1, fc2;
    CrossAttention attn;
  };
  struct Convolve {
    Convolution conv1;
    BatchNorm norm1;
  };
  Tensor align(const Tensor& audio, const Tensor& x) const;
  Tensor attend(const Tensor& x, const Tensor& key) const;

  std::optional<Attend> attend_;
  std::optional<Convolve> convolve_;
  Convolution align_conv_;
  Interaction interaction_;
  bool released_;
};

}  // namespace diffsal
