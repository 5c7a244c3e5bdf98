#pragma once
#include "model/layers.h"

namespace diffsal {

// A convolution and the BatchNorm after it, at inference, as one convolution.
struct Folded {
  Tensor weight, bias;
};
Folded fold(const Convolution& convolution, const BatchNorm& norm);

// A 1x1 convolution's weight as a matrix (out, in).
inline Tensor matrix(const Tensor& weight) { return weight.view({weight.size(0), weight.size(1)}); }

}  // namespace diffsal
