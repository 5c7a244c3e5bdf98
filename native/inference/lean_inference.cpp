#include "inference/lean_inference.h"

namespace diffsal {

LeanInference::LeanInference(const Parts& parts, const std::vector<Parameter>& parameters, const Config& config, at::Device device, at::ScalarType type)
    : parts_(parts), parameters_(parameters), config_(config), device_(device), type_(type) {}

template <typename Make>
auto LeanInference::made(const std::string& part, Make make) const {
  CastSource source(parameters_, type_);
  std::vector<Parameter> list;
  return make(Scope(source, list, device_) / part);
}

std::vector<Tensor> LeanInference::see(const Tensor& frames) const {
  if (!video_) {
    video_ = made("visual_net", [&](const Scope& scope) { return make_video_encoder(scope, config_); });
    if (const auto* mvit = dynamic_cast<const MViT*>(video_.get())) mvit_.emplace(*mvit, config_);
  }
  auto cast = frames.to(type_);
  return mvit_ ? (*mvit_)(cast) : (*video_)(cast, {});
}

Tensor LeanInference::hear(const Tensor& mel) const {
  if (!audio_) {
    audio_ = made("audio_net", [&](const Scope& scope) { return VGGish(scope, config_.audio_encoder); });
    enhancement_ = made("spatiotemp_net", [&](const Scope& scope) { return TemporalEnhancement(scope, config_); });
  }
  return (*enhancement_)((*audio_)(mel.to(type_)));
}

PreparedClip LeanInference::make_clip(const std::vector<Tensor>& video, const Tensor& audio) const { return unet().prepare(video, audio); }

Tensor LeanInference::denoise(const Tensor& x, const Tensor& t, const PreparedClip& clip) const { return unet()(x, t, clip); }

const LeanUNet& LeanInference::unet() const {
  if (!unet_) unet_.emplace(*parts_.decoder_net, config_, type_);
  return *unet_;
}

}  // namespace diffsal
