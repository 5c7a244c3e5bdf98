#include "inference/cpu_inference.h"

namespace diffsal {

std::vector<Tensor> CpuInference::see(const Tensor& frames) const {
  const auto* mvit = dynamic_cast<const MViT*>(parts_.visual_net.get());
  if (mvit == nullptr) return (*parts_.visual_net)(frames, {});
  if (!video_) video_.emplace(*mvit);
  return (*video_)(frames);
}

Tensor CpuInference::hear(const Tensor& mel) const {
  if (!audio_) audio_.emplace(*parts_.audio_net);
  return (*parts_.spatiotemp_net)((*audio_)(mel));
}

PreparedClip CpuInference::make_clip(const std::vector<Tensor>& video, const Tensor& audio) const { return unet().prepare(video, audio); }

Tensor CpuInference::denoise(const Tensor& x, const Tensor& t, const PreparedClip& clip) const { return unet()(x, t, clip); }

const PreparedUNet& CpuInference::unet() const {
  if (!unet_) unet_.emplace(*parts_.decoder_net, config_);
  return *unet_;
}

}  // namespace diffsal
