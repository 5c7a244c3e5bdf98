#include "model/network.h"

#include <ATen/ops/zeros.h>

#include "inference/graphed_inference.h"

namespace diffsal {

Network::Network(const Config& config, ParameterSource& source, at::Device device, at::ScalarType precision)
    : config_(config), device_(device), parts_(Scope(source, parameters_, device), config), precision_(precision) {}

Features Network::encode(const Tensor& frames, const Tensor& mel, const std::vector<at::Generator>& generators, const Pass& pass, bool keep,
                         Form chosen) const {
  auto maps = frames.defined() ? std::vector<Tensor>() : unseen(mel.size(0), generators);
  if (const auto* form = inference(pass, chosen)) return form->encode(frames, maps, mel, keep);
  Features features;
  if (mel.defined()) features.audio = (*parts_.spatiotemp_net)((*parts_.audio_net)(mel));
  features.video = frames.defined() ? (*parts_.visual_net)(frames, pass) : std::move(maps);
  return features;
}

void Network::use_graphs(std::shared_ptr<GraphMaker> maker, std::function<void(const std::string&)> warn) {
  graphs_ = std::move(maker);
  warn_ = std::move(warn);
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

Features Network::current(Features features) const {
  const auto* form = inference({}, Form::fast);
  if (form) features.clip = clip_of(*form, features);
  return features;
}

PreparedClip Network::clip_of(const Inference& form, const Features& features) {
  return form.made(features.clip) ? features.clip : form.prepare(features.video, features.audio);
}

Tensor Network::denoise(const Tensor& x, const Tensor& t, const Features& features, const Pass& pass, Form chosen) const {
  const auto* form = inference(pass, chosen);
  if (!form) return (*parts_.decoder_net)(x, t, features.video, features.audio, pass);
  return form->denoise(x, t, clip_of(*form, features));
}

const Inference* Network::inference(const Pass& pass, Form form) const {
  if (pass.training) return nullptr;
  if (form_ != form) {
    inference_ = make_inference(parts_, parameters_, config_, device_, precision_, form);
    if (inference_ && graphs_) inference_ = std::make_unique<GraphedInference>(std::move(inference_), graphs_, warn_);
    form_ = form;
  }
  return inference_.get();
}

}  // namespace diffsal
