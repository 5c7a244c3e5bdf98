#pragma once
#include <optional>

#include "model/config.h"
#include "model/layers.h"

namespace diffsal {

// Where sound meets video and noise: both (B, C, t, h, w), the sound already on the stage's grid, -> the attention's key,
// the same shape. mim is eq. 9: the sound modulated by how it agrees with the picture, averaged over time; the others
// are table 3's alternatives. off gives an undefined key: the attention falls back on the map itself, as without sound.
class Interaction {
 public:
  Interaction(const Scope& scope, int64_t channels, InteractionKind kind);
  Tensor operator()(const Tensor& x, const Tensor& audio) const;

 private:
  InteractionKind kind_;
  std::optional<Convolution> fuse_, fuse_x_, fuse_a_;
};

}  // namespace diffsal
