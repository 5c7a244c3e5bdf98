#pragma once
#include <memory>
#include <optional>

#include "inference/prepared_unet.h"
#include "inference/prepared_vggish.h"
#include "model/saliency_unet.h"
#include "model/temporal_enhancement.h"
#include "model/vggish.h"
#include "model/video_encoder.h"

namespace diffsal {

// What a clip says about its saliency, computed once whatever the number of steps.
struct Features {
  std::vector<Tensor> video;  // coarse to fine, (B, C_i, T/2, H/2^i, W/2^i), i = 5..2
  Tensor audio;               // (B, Ca, T/2 + 1, H/32, W/32), or undefined
  PreparedClip clip;          // on the CPU, else empty; its video is the same memory

  int64_t batch() const { return video[0].size(0); }
  int64_t bytes() const;
};

// DiffSal, section 4: the encoders and the Saliency-UNet, with the parameters they are made of.
class Network {
 public:
  Network(const Config& config, ParameterSource& source, at::Device device);

  // frames: (B, 3, T, H, W) normalised, or undefined; mel: (B, 1, slots, H/2, W/2), or undefined. Without frames the video
  // maps are zeros (released: standard normal, sample b drawn from generators[b]); without mel there is no audio map.
  Features encode(const Tensor& frames, const Tensor& mel, const std::vector<at::Generator>& generators = {}, const Pass& pass = {}) const;

  // One Saliency-UNet pass: the estimate of S0 from x (B, 1, H, W) at times t (B,).
  Tensor denoise(const Tensor& x, const Tensor& t, const Features& features, const Pass& pass = {}) const;

  // To be called when parameters have changed: frees what was prepared of their old values.
  void parameters_changed() {
    prepared_.reset();
    prepared_audio_.reset();
  }

  const Config& config() const { return config_; }
  at::Device device() const { return device_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  // VGGish's maps of mel.
  Tensor hear(const Tensor& mel) const;
  // The video maps of clips without frames.
  std::vector<Tensor> unseen(int64_t batch, const std::vector<at::Generator>& generators) const;
  // The Saliency-UNet for inference on the CPU, made at its first use. A network belongs to one thread.
  const PreparedUNet& prepared() const;

  Config config_;
  at::Device device_;
  std::vector<Parameter> parameters_;
  std::unique_ptr<VideoEncoder> visual_net_;
  std::optional<VGGish> audio_net_;
  std::optional<TemporalEnhancement> spatiotemp_net_;
  std::optional<SaliencyUNet> decoder_net_;
  mutable std::optional<PreparedUNet> prepared_;
  mutable std::optional<PreparedVGGish> prepared_audio_;
};

}  // namespace diffsal
