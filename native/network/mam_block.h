#pragma once
#include <optional>

#include "network/interaction.h"
#include "ops/cross_attention.h"

namespace diffsal {

// One multi-modal attention modulation (MAM) block, section 4.2: the sound's interaction with the stage's map gives the
// attention's key; attention and MLP, each with its residual connection. With attention none (table 1), a 3x3
// convolution and BatchNorm on every slot stand in. Maps are channels-last.
class MAMBlock {
 public:
  MAMBlock(const Scope& scope, int64_t channels, int64_t kernel, const Config& config);

  // The block's part of a clip's enhanced sound (B, t, ha, wa, Ca), which no step changes: (B, t, ha, wa, C), or undefined.
  Tensor hear(const Tensor& audio) const;
  // x: (B, t, h, w, C) contiguous, its caller's own; sound: of hear(), or undefined. The result and, for the slots that are read, its norm by `next`;
  // read_alone: nothing else of the result is. Of a still, which `pass` tells, x and sound have two slots, the picture's and the
  // noise's. `activity`, where it is there, is given eq. 9's factor (B, h, w, C), float32, which is made in any
  // case; undefined where the block hears nothing or in another way.
  Attended operator()(const Tensor& x, const Tensor& sound, const LayerNorm& next, int64_t read, bool read_alone, const Pass& pass,
                      Tensor* activity = nullptr) const;

 private:
  struct Attend {
    LayerNorm norm;
    MLP mlp;
    CrossAttention attn;
  };
  Attended attend(const Interacted& interacted, const LayerNorm& next, const Attending& attending, int64_t picture_slots) const;

  std::optional<Attend> attend_;
  std::optional<NormedConvolution> convolve_;
  Linear align_;
  Interaction interaction_;
  bool released_;
};

}  // namespace diffsal
