#include "model/network.h"

#include <ATen/ops/zeros.h>

namespace diffsal {

Network::Network(const Config& config, ParameterSource& source, at::Device device, at::ScalarType precision)
    : config_(config), device_(device), parts_(Scope(source, parameters_, device), config), precision_(precision) {}

Features Network::encode(const Tensor& frames, const Tensor& mel, const std::vector<at::Generator>& generators, const Pass& pass, Form chosen) const {
  const auto* form = inference(pass, chosen);
  Features features;
  if (mel.defined()) features.audio = form ? form->hear(mel) : (*parts_.spatiotemp_net)((*parts_.audio_net)(mel));
  if (!frames.defined()) features.video = unseen(mel.size(0), generators);
  else features.video = form ? form->see(frames) : (*parts_.visual_net)(frames, pass);
  if (form) {
    features.clip = form->prepare(features.video, features.audio);
    // The same memory seen channels first, so that each map is held once.
    for (size_t i = 0; i < features.clip.video.size(); ++i) features.video[i] = features.clip.video[i].permute({0, 4, 1, 2, 3});
  }
  return features;
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

Tensor Network::denoise(const Tensor& x, const Tensor& t, const Features& features, const Pass& pass, Form chosen) const {
  const auto* form = inference(pass, chosen);
  if (!form) return (*parts_.decoder_net)(x, t, features.video, features.audio, pass);
  // Features may be from before the network was trained.
  return form->made(features.clip) ? form->denoise(x, t, features.clip) : form->denoise(x, t, form->prepare(features.video, features.audio));
}

const Inference* Network::inference(const Pass& pass, Form form) const {
  if (pass.training) return nullptr;
  if (form_ != form) {
    inference_ = make_inference(parts_, parameters_, config_, device_, precision_, form);
    form_ = form;
  }
  return inference_.get();
}

}  // namespace diffsal
