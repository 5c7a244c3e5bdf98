#pragma once
#include <optional>

#include "network/encoder_adapter.h"

namespace diffsal {

// ResNet3D-50 (Hara et al. 2018, shortcut B), in the names of its authors' checkpoints.
class ResNet3D : public VideoBackbone {
 public:
  explicit ResNet3D(const Scope& scope);
  std::vector<Tensor> operator()(const Tensor& frames, const Pass& pass) const override;
  std::vector<int64_t> widths() const override { return {256, 512, 1024, 2048}; }

 private:
  // A 1x1x1 convolution into `width`, a 3x3x3 one, a 1x1x1 one out of it, with the shortcut.
  struct Bottleneck {
    Bottleneck(const Scope& scope, int64_t in, int64_t width, int64_t stride);
    Tensor operator()(const Tensor& x, const Pass& pass) const;
    Convolution conv1;
    BatchNorm bn1;
    Convolution conv2;
    BatchNorm bn2;
    Convolution conv3;
    BatchNorm bn3;
    std::optional<Convolution> shortcut;
    std::optional<BatchNorm> shortcut_norm;
  };
  Convolution conv1_;
  BatchNorm bn1_;
  std::vector<std::vector<Bottleneck>> layers_;
};

}  // namespace diffsal
