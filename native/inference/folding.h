#pragma once
#include "model/layers.h"

namespace diffsal {

// Two layers as one convolution.
struct Folded {
  Tensor weight, bias;
};
// A convolution and the BatchNorm after it, at inference.
Folded fold(const Convolution& convolution, const BatchNorm& norm);

// The noise encoder's conv_in (3x3, padding 1) and down1 (3x3, stride 4, zeros at the right and the bottom), between which nothing bends, as
// one 5x5 convolution with stride 4 and padding 1. A size is a multiple of 4, so down1 reads none of its padding.
Folded compose(const Convolution& inner, const Convolution& outer);

// A 1x1 convolution's weight as a matrix (out, in).
inline Tensor matrix(const Tensor& weight) { return weight.view({weight.size(0), weight.size(1)}); }

// Of a 1x1 convolution that reads a map and a sound of its result's channels, one after the other: its matrix for each.
struct Fused {
  Tensor of_map, of_sound;
};
inline Fused halves(const Convolution& fuse) {
  auto weight = matrix(fuse.weight);
  int64_t channels = weight.size(0);
  return {weight.slice(1, 0, channels), weight.slice(1, channels)};
}

}  // namespace diffsal
