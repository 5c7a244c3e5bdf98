#pragma once
#include "ops/kept.h"

namespace diffsal {

// A layer's weight and bias, as libtorch is given them.
struct Weights {
  at::Tensor weight, bias;
};

// A layer's weight and bias in another type, kept beside them.
class WeightCast {
 public:
  // Those themselves where autograd is to see them or they have the type. A weight of a convolution has its channels innermost, which is what
  // CUDA's and the CPU's matrix units read.
  Weights of(const at::Tensor& weight, const at::Tensor& bias, at::ScalarType type, bool convolution = false) const;

 private:
  struct Key {
    Version weight, bias;
    at::ScalarType type = at::kFloat;
    bool operator==(const Key&) const = default;
  };
  Kept<Key, Weights> kept_;
};

// A convolution's weight with its channels innermost.
at::Tensor channels_last(const at::Tensor& weight);

}  // namespace diffsal
