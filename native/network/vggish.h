#pragma once
#include "network/config.h"
#include "network/layers.h"

namespace diffsal {

// VGGish's convolutions (Hershey et al. 2017), each followed by ReLU, a 2x2 max pooling after each resolution:
// (B, 1, slots, Ha, Wa) log-mel slices -> channels-last maps (B, slots, Ha/16, Wa/16, C).
class VGGish {
 public:
  VGGish(const Scope& scope, const AudioEncoderConfig& config);
  Tensor operator()(const Tensor& mel) const;

 private:
  std::vector<std::vector<Convolution>> stages_;
};

}  // namespace diffsal
