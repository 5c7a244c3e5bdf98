#include "tracing/network_traces.h"

#include <ATen/ops/zeros.h>

#include <utility>

namespace diffsal {
namespace {

// The tensors of a clip that an encoder made, by their names.
std::vector<std::pair<std::string, Tensor*>> made_of(PreparedClip& clip, bool sees) {
  std::vector<std::pair<std::string, Tensor*>> made;
  auto add = [&](const char* name, std::vector<Tensor>& maps) {
    for (size_t i = 0; i < maps.size(); ++i) {
      if (maps[i].defined()) made.emplace_back(name + std::to_string(i), &maps[i]);
    }
  };
  if (sees) add("video.", clip.video);
  add("sound.", clip.sound);
  return made;
}

}  // namespace

NetworkTraces trace_network(const Network& network) {
  const auto& c = network.config();
  NetworkTraces traces;
  std::vector<Tensor> parameters;
  for (const auto& parameter : network.parameters()) {
    if (!parameter.info.buffer) parameters.push_back(parameter.tensor);
  }
  std::vector<Tensor> given;
  if (c.video) {
    traces.encode.inputs.push_back("frames");
    given.push_back(at::zeros({1, 3, c.clip_length, c.height, c.width}));
  }
  if (c.audio) {
    traces.encode.inputs.push_back("mel");
    given.push_back(at::zeros({1, 1, c.slots(), c.mel_height(), c.mel_width()}));
  }
  Features features;
  traces.encode.trace = trace(given, parameters, [&](const std::vector<Tensor>& inputs) {
    features = network.encode(c.video ? inputs.front() : Tensor(), c.audio ? inputs.back() : Tensor());
    std::vector<Tensor> outputs;
    for (const auto& [_, tensor] : made_of(features.clip, c.video)) outputs.push_back(*tensor);
    return outputs;
  });

  traces.denoise.inputs = {"x", "t"};
  given = {at::zeros({1, 1, c.height, c.width}), at::zeros({1}, at::kLong)};
  auto clip = features.clip.map([](const Tensor& tensor) { return tensor.detach().clone(); });
  for (const auto& [name, tensor] : made_of(clip, c.video)) {
    traces.encode.outputs.push_back(name);
    traces.denoise.inputs.push_back(name);
    given.push_back(*tensor);
  }
  traces.denoise.outputs = {"s0"};
  traces.denoise.trace = trace(given, parameters, [&](const std::vector<Tensor>& inputs) -> std::vector<Tensor> {
    auto taken = clip;
    auto next = inputs.begin() + 2;
    for (const auto& [_, tensor] : made_of(taken, c.video)) *tensor = *next++;
    return {network.denoise(inputs[0], inputs[1], {{}, {}, taken})};
  });
  return traces;
}

}  // namespace diffsal
