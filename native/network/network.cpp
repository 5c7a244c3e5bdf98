#include "network/network.h"

#include <ATen/ops/zeros.h>

#include <atomic>

#include "runtime/transfer.h"

namespace diffsal {
namespace {

std::atomic<uint64_t> states = 0, clips = 0;

}  // namespace

Network::Network(const Config& config, ParameterSource& source, at::Device device, at::ScalarType precision)
    : config_(config), device_(device), parts_(Scope(source, parameters_, device), config), precision_(precision) {}

Features Network::encode(const Tensor& frames, const Tensor& mel, const std::vector<at::Generator>& generators, const Pass& pass, bool keep) const {
  auto maps = frames.defined() ? std::vector<Tensor>() : unseen(mel.size(0), generators);
  const auto* graphs = pass.training ? nullptr : graphed();
  return graphs ? graphs->encode(frames, maps, mel, keep) : calculate(frames, maps, mel, pass);
}

Features Network::calculate(const Tensor& frames, const std::vector<Tensor>& maps, const Tensor& mel, const Pass& pass) const {
  auto type = pass.training ? at::kFloat : precision_;
  Features features;
  // The larger encoder first: so its gradients come last, as JointStep sends them.
  features.video = frames.defined() ? (*parts_.visual_net)(frames.to(type), pass) : maps;
  if (mel.defined()) features.audio = (*parts_.spatiotemp_net)((*parts_.audio_net)(mel.to(type))).permute({0, 4, 1, 2, 3});
  features.clip = prepare(features.video, features.audio, pass);
  // The same memory seen channels first, so that each map is held once.
  for (size_t i = 0; i < features.clip.video.size(); ++i) features.video[i] = features.clip.video[i].permute({0, 4, 1, 2, 3});
  return features;
}

PreparedClip Network::prepare(const std::vector<Tensor>& video, const Tensor& audio, const Pass& pass) const {
  auto clip = parts_.decoder_net->prepare(video, audio, pass.training ? at::kFloat : precision_);
  clip.maker = state();
  clip.number = ++clips;
  return clip;
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
    maps.push_back(to_device(map, device_));
  }
  return maps;
}

uint64_t Network::state() const {
  std::vector<Version> versions;
  versions.reserve(parameters_.size());
  for (const auto& parameter : parameters_) versions.emplace_back(parameter.tensor);
  if (state_ == 0 || versions != versions_) {
    versions_ = std::move(versions);
    state_ = ++states;
  }
  return state_;
}

const Graphed* Network::graphed() const {
  if (!graphs_) return nullptr;
  if (auto now = state(); !graphed_ || graphed_state_ != now) {
    graphed_ = std::make_unique<Graphed>(
        Graphed::Functions{
            [this](const Tensor& frames, const std::vector<Tensor>& maps, const Tensor& mel) { return calculate(frames, maps, mel, {}); },
            [this](const Tensor& x, const Tensor& t, const PreparedClip& clip) { return (*parts_.decoder_net)(x, t, clip, {}); },
            [this](PreparedClip& clip) {
              clip.maker = state();
              clip.number = ++clips;
            }},
        graphs_, warn_);
    graphed_state_ = now;
  }
  return graphed_.get();
}

Features Network::current(Features features) const {
  if (features.clip.maker == state()) return features;
  auto once = [&] { return prepare(features.video, features.audio, {}); };
  const auto* graphs = graphed();
  features.clip = graphs ? graphs->sparing(once) : once();
  return features;
}

Tensor Network::denoise(const Tensor& x, const Tensor& t, const Features& features, const Pass& pass, std::vector<Tensor>* activity) const {
  if (pass.training) return (*parts_.decoder_net)(x, t, features.clip, pass);
  auto clip = current(features).clip;
  auto once = [&] { return (*parts_.decoder_net)(x, t, clip, pass, activity); };
  const auto* graphs = graphed();
  if (!graphs) return once();
  return activity ? graphs->sparing(once) : graphs->denoise(x, t, clip);
}

}  // namespace diffsal
