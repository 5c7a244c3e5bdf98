#pragma once
#include <optional>

#include "network/config.h"
#include "ops/compression.h"

namespace diffsal {

// What sound makes of a stage's map: the map to go on with, and the attention's key (undefined: the map itself, as without sound).
struct Interacted {
  Tensor map;
  Modulated key;
};

// Where sound meets video and noise. mim is eq. 9: the key is the sound
// modulated by how it agrees with the picture, averaged over time; addition, concatenation and bilinear are table 3's
// alternatives. residual is not the paper's: x + W (U x * V a), so that a place can tell by itself, without the detour over the
// attention's key, whether it looks as it sounds.
class Interaction {
 public:
  Interaction(const Scope& scope, int64_t channels, InteractionKind kind);
  // The interaction's part of an aligned sound (B, t, ha, wa, C), which no denoising step changes; undefined where it is not heard.
  Tensor hear(const Tensor& aligned) const;
  // x: (B, t, h, w, C); sound: of hear(), each place of which stands for as many as make up the stage's grid; may be undefined.
  Interacted operator()(const Tensor& x, const Tensor& sound) const;

 private:
  InteractionKind kind_;
  // fuse_, which reads a map and a sound of as many channels, one after the other, by its half for each.
  Tensor fuse_map(const Tensor& x) const;
  Tensor fuse_sound(const Tensor& sound) const;

  std::optional<Linear> fuse_, fuse_x_, fuse_a_, fuse_out_;
  Derived<Linear> of_map_, of_sound_;
};

}  // namespace diffsal
