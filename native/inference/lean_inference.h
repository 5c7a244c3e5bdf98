#pragma once
#include <optional>

#include "inference/cast_source.h"
#include "inference/inference.h"
#include "inference/lean_mvit.h"
#include "inference/lean_unet.h"

namespace diffsal {

// The form for CUDA, and for bfloat16 on any device, of libtorch's operators alone. Each part is made, with its constants, when it is first
// used. From then on nothing in it copies between device and host, waits for a device, or has a size that depends on values: a call after the first
// can be recorded into a CUDA graph. A network belongs to one thread.
class LeanInference : public Inference {
 public:
  LeanInference(const Parts& parts, const std::vector<Parameter>& parameters, const Config& config, at::Device device, at::ScalarType type);

  std::vector<Tensor> see(const Tensor& frames) const override;
  Tensor hear(const Tensor& mel) const override;
  Tensor denoise(const Tensor& x, const Tensor& t, const PreparedClip& clip) const override;

 private:
  PreparedClip make_clip(const std::vector<Tensor>& video, const Tensor& audio) const override;
  const LeanUNet& unet() const;
  // model/'s layers on the parameters in this form's type.
  template <typename Make>
  auto made(const std::string& part, Make make) const;

  const Parts& parts_;
  const std::vector<Parameter>& parameters_;
  Config config_;
  at::Device device_;
  at::ScalarType type_;
  mutable std::unique_ptr<VideoEncoder> video_;
  mutable std::optional<LeanMViT> mvit_;
  mutable std::optional<VGGish> audio_;
  mutable std::optional<TemporalEnhancement> enhancement_;
  mutable std::optional<LeanUNet> unet_;
};

}  // namespace diffsal
