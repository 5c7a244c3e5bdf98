#pragma once
#include <memory>

#include "network/config.h"
#include "network/layers.h"

namespace diffsal {

// (B, 3, T, H, W) -> one map a stage, coarse to fine, (B, C_i, T/2, H/2^i, W/2^i), i = 5..2.
class VideoEncoder {
 public:
  virtual ~VideoEncoder() = default;
  virtual std::vector<Tensor> operator()(const Tensor& frames, const Pass& pass) const = 0;
};

// The encoder that the configuration names (section 4.1, table 7).
std::unique_ptr<VideoEncoder> make_video_encoder(const Scope& scope, const Config& config);

}  // namespace diffsal
