#pragma once
#include "model/config.h"
#include "model/layers.h"

namespace diffsal {

// VGGish's convolutions (Hershey et al. 2017), each followed by ReLU, a 2x2 max pooling after each resolution:
// (B, 1, slots, Ha, Wa) log-mel slices -> (B, C, slots, Ha/16, Wa/16).
class VGGish {
  friend class PreparedVGGish;

 public:
  VGGish(const Scope& scope, const AudioEncoderConfig& config);
  Tensor operator()(const Tensor& mel) const;

 private:
  std::vector<std::vector<Convolution>> stages_;
};

}  // namespace diffsal
