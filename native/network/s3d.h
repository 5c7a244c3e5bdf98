#pragma once
#include "network/encoder_adapter.h"

namespace diffsal {

// S3D (Xie et al. 2018): Inception blocks whose 3-D convolutions are split into space and time. Its names are those of
// torchvision's checkpoints.
class S3D : public VideoBackbone {
 public:
  explicit S3D(const Scope& scope);
  ~S3D() override;
  std::vector<Tensor> operator()(const Tensor& frames, const Pass& pass) const override;
  std::vector<int64_t> widths() const override { return {192, 480, 832, 1024}; }

 private:
  struct Layer;
  std::vector<std::unique_ptr<Layer>> features_;
};

}  // namespace diffsal
