#pragma once
#include <optional>

#include "model/config.h"
#include "model/layers.h"

namespace diffsal {

// What sound makes of a stage's map: the map to go on with, and the attention's key (undefined: the map itself, as without sound).
struct Interacted {
  Tensor map, key;
};

// Where sound meets video and noise: both (B, C, t, h, w), the sound already on the stage's grid. mim is eq. 9: the key is the sound
// modulated by how it agrees with the picture, averaged over time; addition, concatenation and bilinear are table 3's
// alternatives. residual is not the paper's: x + W (U x * V a), so that a place can tell by itself, without the detour over the
// attention's key, whether it looks as it sounds.
class Interaction {
  friend class LeanBlock;
  friend class PreparedBlock;

 public:
  Interaction(const Scope& scope, int64_t channels, InteractionKind kind);
  Interacted operator()(const Tensor& x, const Tensor& audio) const;

 private:
  InteractionKind kind_;
  std::optional<Convolution> fuse_, fuse_x_, fuse_a_, fuse_out_;
};

}  // namespace diffsal
