#pragma once
#include <memory>

#include "network/video_encoder.h"

namespace diffsal {

// A video network that was made for another purpose: its last maps at 1/4, 1/8, 1/16 and 1/32 of the frames' size, fine to
// coarse, of any number of channels and slots.
class VideoBackbone {
 public:
  virtual ~VideoBackbone() = default;
  virtual std::vector<Tensor> operator()(const Tensor& frames, const Pass& pass) const = 0;
  // Channels of each map, fine to coarse.
  virtual std::vector<int64_t> widths() const = 0;
};

// Brings a backbone's maps to the Saliency-UNet's: a 1x1x1 convolution to C_i channels, then trilinear interpolation of the
// time axis to T/2 slots; of a still one slot.
class EncoderAdapter : public VideoEncoder {
 public:
  EncoderAdapter(const Scope& scope, std::unique_ptr<VideoBackbone> backbone, const std::vector<int64_t>& channels);
  std::vector<Tensor> operator()(const Tensor& frames, const Pass& pass) const override;

 private:
  std::unique_ptr<VideoBackbone> backbone_;
  std::vector<Convolution> adapt_;
};

}  // namespace diffsal
