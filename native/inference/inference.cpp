#include "inference/inference.h"

#include <atomic>

#include "inference/cpu_inference.h"
#include "inference/lean_inference.h"

namespace diffsal {
namespace {

std::atomic<uint64_t> serials = 0, clips = 0;

}  // namespace

Inference::Inference() : serial_(++serials) {}

PreparedClip Inference::prepare(const std::vector<Tensor>& video, const Tensor& audio) const {
  auto clip = make_clip(video, audio);
  sign(clip);
  return clip;
}

void Inference::sign(PreparedClip& clip) const {
  clip.maker = serial_;
  clip.number = ++clips;
}

Features Inference::encode(const Tensor& frames, const std::vector<Tensor>& maps, const Tensor& mel, bool) const {
  Features features;
  if (mel.defined()) features.audio = hear(mel);
  features.video = frames.defined() ? see(frames) : maps;
  features.clip = prepare(features.video, features.audio);
  // The same memory seen channels first, so that each map is held once.
  for (size_t i = 0; i < features.clip.video.size(); ++i) features.video[i] = features.clip.video[i].permute({0, 4, 1, 2, 3});
  return features;
}

std::unique_ptr<Inference> make_inference(const Parts& parts, const std::vector<Parameter>& parameters, const Config& config, at::Device device,
                                          at::ScalarType precision, Form form) {
  if (form == Form::plain) return nullptr;
  if (form == Form::fast && device.is_cpu() && precision == at::kFloat) return std::make_unique<CpuInference>(parts, config);
  return std::make_unique<LeanInference>(parts, parameters, config, device, precision);
}

}  // namespace diffsal
