#pragma once
#include "network/encoder_adapter.h"

namespace diffsal {

// S3D (Xie et al. 2018): Inception blocks whose 3-D convolutions are split into space and time. Its names are those of
// torchvision's checkpoints. Of one frame, a still, it makes one slot: that of a clip of this picture, whose kernels over time have each tap in the
// share of slots that see it. `width` is the share of the published channels that each layer has, in whole eights.
class S3D : public VideoBackbone {
 public:
  S3D(const Scope& scope, double width, int64_t clip_length);
  ~S3D() override;
  std::vector<Tensor> operator()(const Tensor& frames, const Pass& pass) const override;
  std::vector<int64_t> widths() const override { return widths_; }

 private:
  struct Layer;
  std::vector<std::unique_ptr<Layer>> features_;
  std::vector<int64_t> widths_;
};

}  // namespace diffsal
