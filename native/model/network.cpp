#include "model/network.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include "inference/cpu_inference.h"

namespace diffsal {

int64_t Features::bytes() const {
  int64_t total = audio.defined() ? static_cast<int64_t>(audio.nbytes()) : 0;
  for (const auto& map : video) total += static_cast<int64_t>(map.nbytes());
  for (const auto& map : clip.sound) {
    if (map.defined()) total += static_cast<int64_t>(map.nbytes());
  }
  return total;
}

Network::Network(const Config& config, ParameterSource& source, at::Device device) : config_(config), device_(device) {
  Scope root(source, parameters_, device);
  if (config.video) visual_net_ = make_video_encoder(root / "visual_net", config);
  if (config.audio) {
    audio_net_.emplace(root / "audio_net", config.audio_encoder);
    spatiotemp_net_.emplace(root / "spatiotemp_net", config);
  }
  decoder_net_.emplace(root / "decoder_net", config);
}

Features Network::encode(const Tensor& frames, const Tensor& mel, const std::vector<at::Generator>& generators, const Pass& pass) const {
  Features features;
  if (mel.defined()) {
    features.audio = (*spatiotemp_net_)(hear(mel));
  }
  features.video = frames.defined() ? (*visual_net_)(frames, pass) : unseen(mel.size(0), generators);
  if (is_cpu_inference(features.video[0])) {
    features.clip = prepared().prepare(features.video, features.audio);
    // The same memory seen channels first, so that each map is held once.
    for (size_t i = 0; i < features.clip.video.size(); ++i) features.video[i] = features.clip.video[i].permute({0, 4, 1, 2, 3});
  }
  return features;
}

Tensor Network::hear(const Tensor& mel) const {
  if (!is_cpu_inference(mel)) return (*audio_net_)(mel);
  if (!prepared_audio_) prepared_audio_.emplace(*audio_net_);
  return (*prepared_audio_)(mel);
}

std::vector<Tensor> Network::unseen(int64_t batch, const std::vector<at::Generator>& generators) const {
  std::vector<Tensor> maps;
  auto channels = config_.channels();
  for (size_t i = 0; i < channels.size(); ++i) {
    int64_t stride = 4 << (channels.size() - 1 - i);
    auto map = at::zeros({batch, channels[i], config_.slots() - 1, config_.height / stride, config_.width / stride}, at::kFloat);
    if (config_.released()) {
      for (int64_t b = 0; b < map.size(0); ++b) map[b].normal_(0, 1, generators.at(static_cast<size_t>(b)));
    }
    maps.push_back(map.to(device_));
  }
  return maps;
}

Tensor Network::denoise(const Tensor& x, const Tensor& t, const Features& features, const Pass& pass) const {
  if (!is_cpu_inference(x) || pass.training) return (*decoder_net_)(x, t, features.video, features.audio, pass);
  const auto& unet = prepared();
  // Features may be from before the network was trained.
  return unet.made(features.clip) ? unet(x, t, features.clip) : unet(x, t, unet.prepare(features.video, features.audio));
}

const PreparedUNet& Network::prepared() const {
  if (!prepared_) prepared_.emplace(*decoder_net_, config_);
  return *prepared_;
}

}  // namespace diffsal
