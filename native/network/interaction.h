#pragma once
#include <functional>
#include <string>

#include "network/config.h"
#include "ops/compression.h"

namespace diffsal {

// What sound makes of a stage's map: the map to go on with, and the attention's key (undefined: the map itself, as without sound).
struct Interacted {
  Tensor map;
  Modulated key;
};

// Where sound meets video and noise. mim is eq. 9: the key is the sound modulated by how it agrees with the picture, averaged over time;
// addition, concatenation and bilinear are table 3's alternatives. residual is not the paper's: x + W (U x * V a), so that a place can tell by
// itself, without the detour over the attention's key, whether it looks as it sounds.
class Interaction {
 public:
  // kind: one of those that interaction.cpp declares, with its layers and its formula.
  Interaction(const Scope& scope, int64_t channels, const std::string& kind);
  // The interaction's part of an aligned sound (B, t, ha, wa, C), which no denoising step changes; undefined where it is not heard.
  Tensor hear(const Tensor& aligned) const { return hear_(aligned); }
  // x: (B, t, h, w, C); sound: of hear(), each place of which stands for as many as make up the stage's grid; may be undefined.
  // counts: how much each slot counts in a mean over them, (t, 1, 1, 1) with a mean of 1; undefined where all count alike.
  Interacted operator()(const Tensor& x, const Tensor& sound, const Tensor& counts = {}) const {
    return sound.defined() ? meet_(x, sound, counts) : Interacted{x, {}};
  }

 private:
  std::function<Tensor(const Tensor& aligned)> hear_ = [](const Tensor& aligned) { return aligned; };
  std::function<Interacted(const Tensor& x, const Tensor& sound, const Tensor& counts)> meet_;
};

}  // namespace diffsal
