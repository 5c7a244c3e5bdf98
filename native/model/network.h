#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "inference/inference.h"
#include "model/features.h"
#include "model/parts.h"
#include "runtime/device_graph.h"

namespace diffsal {

// DiffSal, section 4: the encoders and the Saliency-UNet, with the parameters they are made of.
class Network {
 public:
  // precision: what predictions calculate in, float32 or bfloat16. Parameters are float32.
  Network(const Config& config, ParameterSource& source, at::Device device, at::ScalarType precision = at::kFloat);

  // frames: (B, 3, T, H, W) normalised, or undefined; mel: (B, 1, slots, H/2, W/2), or undefined. Without frames the video
  // maps are zeros (released: standard normal, sample b drawn from generators[b]); without mel there is no audio map. Unless they are to be
  // kept, the features may be overwritten by the next call.
  Features encode(const Tensor& frames, const Tensor& mel, const std::vector<at::Generator>& generators = {}, const Pass& pass = {},
                  bool keep = true, Form form = Form::fast) const;

  // Features with what predictions take of them, which those from before a training lack. What denoise() would make at each call.
  Features current(Features features) const;

  // One Saliency-UNet pass: the estimate of S0 from x (B, 1, H, W) at times t (B,).
  Tensor denoise(const Tensor& x, const Tensor& t, const Features& features, const Pass& pass = {}, Form form = Form::fast) const;

  // Has the form for predicting run as graphs of `maker` (none where it is null); `warn` is told, once, why something does not. Before the
  // network is first used.
  void use_graphs(std::shared_ptr<GraphMaker> maker, std::function<void(const std::string&)> warn);

  // To be called when parameters have changed: frees what was prepared of their old values.
  void parameters_changed() {
    inference_.reset();
    form_.reset();
  }

  const Config& config() const { return config_; }
  at::Device device() const { return device_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  // The video maps of clips without frames.
  std::vector<Tensor> unseen(int64_t batch, const std::vector<at::Generator>& generators) const;
  // The form for predicting, made at its first use; null where the layers themselves are to run, as in a pass of a trainer. A network belongs
  // to one thread.
  const Inference* inference(const Pass& pass, Form form) const;
  // What `form` denoises with: made anew where the features are from before the network was trained, or of another form.
  static PreparedClip clip_of(const Inference& form, const Features& features);

  Config config_;
  at::Device device_;
  std::vector<Parameter> parameters_;
  Parts parts_;
  at::ScalarType precision_;
  mutable std::unique_ptr<Inference> inference_;
  mutable std::optional<Form> form_;  // that inference_ was made for
  std::shared_ptr<GraphMaker> graphs_;
  std::function<void(const std::string&)> warn_;
};

}  // namespace diffsal
