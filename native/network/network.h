#pragma once
#include <functional>
#include <memory>
#include <string>

#include "network/features.h"
#include "network/graphed.h"
#include "network/parts.h"
#include "runtime/device_graph.h"

namespace diffsal {

// DiffSal, section 4: the encoders and the Saliency-UNet, with the parameters they are made of. It belongs to one thread.
class Network {
 public:
  // precision: what predictions calculate in, float32 or bfloat16. Parameters are float32.
  Network(const Config& config, ParameterSource& source, at::Device device, at::ScalarType precision = at::kFloat);

  // frames: (B, 3, T, H, W) normalised, or undefined; mel: (B, 1, slots, H/2, W/2), or undefined. Without frames the video
  // maps are zeros (released: standard normal, sample b drawn from generators[b]); without mel there is no audio map. Unless they are to be
  // kept, the features may be overwritten by the next call.
  Features encode(const Tensor& frames, const Tensor& mel, const std::vector<at::Generator>& generators = {}, const Pass& pass = {},
                  bool keep = true) const;

  // Features with what the parameters as they are now make of them, which those from before a training lack. What denoise() would make at
  // each call.
  Features current(Features features) const;

  // One Saliency-UNet pass: the estimate of S0 from x (B, 1, H, W) at times t (B,). `activity`, where it is there, is given every stage's; such a
  // pass runs without a graph, which keeps no such thing.
  Tensor denoise(const Tensor& x, const Tensor& t, const Features& features, const Pass& pass = {}, std::vector<Tensor>* activity = nullptr) const;

  // Has predictions run as graphs of `maker` (none where it is null); `warn` is told, once, why something does not. Before the
  // network is first used.
  void use_graphs(std::shared_ptr<GraphMaker> maker, std::function<void(const std::string&)> warn);

  const Config& config() const { return config_; }
  at::Device device() const { return device_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  // The video maps of clips without frames.
  std::vector<Tensor> unseen(int64_t batch, const std::vector<at::Generator>& generators) const;
  // Of frames, or of `maps` where these are undefined.
  Features calculate(const Tensor& frames, const std::vector<Tensor>& maps, const Tensor& mel, const Pass& pass) const;
  PreparedClip prepare(const std::vector<Tensor>& video, const Tensor& audio, const Pass& pass) const;
  // A number for the parameters as they are; graphs and clips of other ones are no use.
  uint64_t state() const;
  // Graphs of the parameters as they are, or null.
  const Graphed* graphed() const;

  Config config_;
  at::Device device_;
  std::vector<Parameter> parameters_;
  Parts parts_;
  at::ScalarType precision_;
  std::shared_ptr<GraphMaker> graphs_;
  std::function<void(const std::string&)> warn_;
  mutable std::vector<Version> versions_;
  mutable uint64_t state_ = 0;
  mutable std::unique_ptr<Graphed> graphed_;
  mutable uint64_t graphed_state_ = 0;
};

}  // namespace diffsal
